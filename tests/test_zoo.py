"""The tables of `zoo` hold what they promise."""

import dataclasses

import zoo

import rnnzoo
from rnnzoo.base import Cell, spec


@spec
class Visitor(Cell):
    """A member of a test."""

    def step(self, params, state, z_t, recur):
        return state


def test_members_of_tests_are_in_no_product():
    assert "Visitor" in rnnzoo.members("cells") and "Visitor" not in zoo.published("cells")
    for products in (zoo.all_cells(4), zoo.own_structures(1, 3), zoo.PAIRS, zoo.UNROLLS):
        assert all(zoo.is_published(type(member)) for member in products)


def test_every_name_in_the_budget_is_a_member():
    assert {*zoo.FIRST_STRUCTURES, *zoo.FIRST_OPERATIONS} <= zoo.published("structures").keys()
    assert {*zoo.FIRST_CELLS, zoo.ANY_U, zoo.CHEAP, *zoo.CELL_FIELDS} <= zoo.published("cells").keys()
    assert {*zoo.FIRST_UNROLLS, *zoo.NO_OTHER} <= zoo.published("unrolls").keys()


def test_a_new_kind_of_member_is_quick_by_itself_and_a_known_kind_is_not():
    @dataclasses.dataclass(frozen=True)
    class Member:
        kind: str

    class Another(Member): ...

    class Last(Member): ...

    def facts(member):
        return {"kind": member.kind}

    members = [Member("a"), Another("a"), Last("b")]
    assert zoo.representatives(members, facts) == [Member("a"), Last("b")]
    assert zoo.representatives(members, facts, ("Last", "Another")) == [Last("b"), Another("a")]


def test_vectors_that_u_is_applied_to_are_counted():
    counts = {zoo.name_of(cell): zoo.vectors_heard(cell) for cell in zoo.CELLS}
    assert (counts["MinGRU"], counts["LSTM"], counts["GRUResetBefore"]) == (0, 1, 2)


def test_every_unroll_is_quick_with_some_cell():
    quick = {zoo.name_of(unroll) for cell, unroll in zoo.OTHER_RUNS if zoo.is_quick_or_first(cell, unroll)}
    assert quick == {zoo.name_of(unroll) for _, unroll in zoo.OTHER_RUNS}
