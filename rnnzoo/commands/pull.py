"""``rnnzoo pull REPO --out DIR``: download a model folder from the Hugging Face hub."""

from pathlib import Path

from rnnzoo.commands.arguments import new_parser
from rnnzoo.store.hub import pull_model


def main(args: list[str]) -> int:
    """Download a model folder from the Hugging Face hub."""
    parser = new_parser(
        "rnnzoo pull",
        "Download a model folder from the Hugging Face hub, and check it.",
        "rnnzoo pull me/reber-lstm --out reber-lstm",
    )
    parser.add_argument("repo", metavar="REPO", help="such as me/reber-lstm")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write, which must not exist")
    parser.add_argument("--revision", help="branch, tag or commit")
    known = parser.parse_args(args)
    pull_model(known.repo, known.out, revision=known.revision)
    print(f"wrote {known.out}")
    return 0


__all__ = ["main"]
