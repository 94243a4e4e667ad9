"""What is asked of versions."""

import pytest

from understudy_proxy.mesh.versions import newness, satisfies


@pytest.mark.parametrize(
    ("constraint", "held", "not_held"),
    [
        pytest.param("", ("1.0.0", "", "nonsense"), (), id="any"),
        pytest.param("*", ("0.0.1", "9.9.9"), ("1.0.0-beta",), id="any release"),
        pytest.param("1.2.3", ("1.2.3", "v1.2.3", "1.2.3+build"), ("1.2.4", "1.2.3-rc.1", ""), id="exact"),
        pytest.param("=1.2.3", ("1.2.3",), ("1.2.4",), id="exact, said so"),
        pytest.param("1.2", ("1.2.0", "1.2.9"), ("1.3.0",), id="patch left open"),
        pytest.param("1.x", ("1.0.0", "1.9.9"), ("2.0.0",), id="minor left open"),
        pytest.param("!=1.2.3", ("1.2.4",), ("1.2.3",), id="but not"),
        pytest.param(">=1.0", ("1.0.0", "2.0.0"), ("0.9.9", "1.0.0-rc.1"), id="at least"),
        pytest.param("=>1.0", ("1.0.0",), ("0.9.9",), id="at least, spelled otherwise"),
        pytest.param(">1.2", ("1.3.0",), ("1.2.9",), id="all of 1.2 is meant"),
        pytest.param(">1.2.3", ("1.2.4",), ("1.2.3",), id="more than"),
        pytest.param("<2", ("1.9.9",), ("2.0.0",), id="less than"),
        pytest.param("<=1.2", ("1.2.9",), ("1.3.0",), id="at most, all of 1.2"),
        pytest.param("~1.2.3", ("1.2.3", "1.2.9"), ("1.2.2", "1.3.0"), id="patches"),
        pytest.param("~1.2", ("1.2.0", "1.2.9"), ("1.3.0",), id="patches of a minor"),
        pytest.param("~1", ("1.9.0",), ("2.0.0",), id="minors"),
        pytest.param("~>1.2", ("1.2.9",), ("1.3.0",), id="patches, spelled otherwise"),
        pytest.param("^1.2", ("1.2.0", "1.9.0"), ("1.1.9", "2.0.0"), id="compatible"),
        pytest.param("^0.2.3", ("0.2.9",), ("0.3.0",), id="before the first major"),
        pytest.param("^0.0.3", ("0.0.3",), ("0.0.4",), id="before the first minor"),
        pytest.param("^0.0", ("0.0.9",), ("0.1.0",), id="before any"),
        pytest.param("^0", ("0.9.0",), ("1.0.0",), id="zero"),
        pytest.param(">=1.0, <2", ("1.5.0",), ("0.9.0", "2.0.0"), id="both, with a comma"),
        pytest.param(">=1.0 <2", ("1.5.0",), ("0.9.0", "2.0.0"), id="both, with a space"),
        pytest.param(">= 1.0 , < 2", ("1.5.0",), ("2.0.0",), id="spaces"),
        pytest.param("1.2 - 1.4", ("1.2.0", "1.4.9"), ("1.1.9", "1.5.0"), id="from to"),
        pytest.param("^1.2 || ^3", ("1.5.0", "3.1.0"), ("2.0.0",), id="either"),
        pytest.param(">=1.0.0-beta", ("1.0.0-beta", "1.0.0-beta.2", "1.0.0"), ("1.0.0-alpha",), id="before a release"),
        pytest.param("latest", ("latest",), ("1.0.0",), id="no constraint at all"),
        pytest.param("^1 ||", ("^1 ||",), ("1.0.0",), id="half of one"),
        pytest.param(">=1,", (">=1,",), ("1.0.0",), id="a comma and nothing"),
        pytest.param("9" * 10_000, ("9" * 10_000,), ("1.0.0",), id="longer than anybody reads"),
    ],
)
def test_constraint(constraint: str, held: tuple[str, ...], not_held: tuple[str, ...]) -> None:
    """What satisfies it, and what does not."""
    assert all(satisfies(version, constraint) for version in held)
    assert not any(satisfies(version, constraint) for version in not_held)


def test_the_newest_last() -> None:
    """By precedence; what is no version is older than any."""
    told = ["nonsense", "0.9.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-rc.2", "1.0.0-rc.11"]
    told += ["1.0.0", "1.2", "1.10.0", "2"]
    found = told[::-1]
    found.sort(key=newness)
    assert told == found
