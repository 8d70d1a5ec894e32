"""``rnnzoo push DIR REPO``: upload a model folder to the Hugging Face hub."""

from pathlib import Path

from rnnzoo.commands.arguments import new_parser
from rnnzoo.store.hub import push_model


def main(args: list[str]) -> int:
    """Upload a model folder to the Hugging Face hub."""
    parser = new_parser(
        "rnnzoo push",
        "Check a model folder, and upload it to the Hugging Face hub.",
        "rnnzoo push reber-lstm me/reber-lstm",
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="a model folder, from rnnzoo save")
    parser.add_argument("repo", metavar="REPO", help="such as me/reber-lstm")
    parser.add_argument("--public", action="store_true", help="make a new repository public")
    known = parser.parse_args(args)
    print(push_model(known.folder, known.repo, private=not known.public))
    return 0


__all__ = ["main"]
