"""What of a machine's pip settings an image build sees."""

from pathlib import Path

import pytest

from harness.pipconfig import read_pip_config


@pytest.mark.parametrize(
    ("listing", "expected"),
    [
        pytest.param("", "[global]\n\n", id="nothing is set"),
        pytest.param("global.timeout='60'", "[global]\ntimeout = 60\n\n", id="a file's setting"),
        pytest.param(":env:.default-timeout='180'", "[global]\ntimeout = 180\n\n", id="pip's older name of a variable"),
        pytest.param(
            ":env:.index-url='https://one.example/simple'\nglobal.index-url='https://two.example/simple'",
            "[global]\nindex-url = https://one.example/simple\n\n",
            id="a variable beats a file",
        ),
        pytest.param(
            "global.timeout='60'\ninstall.timeout='90'",
            "[global]\ntimeout = 90\n\n",
            id="a command's beats the common one",
        ),
        pytest.param(
            "install.user='true'\nglobal.target='/elsewhere'", "[global]\n\n", id="where packages go is not kept"
        ),
        pytest.param(
            "global.find-links='/one\\n/two'",
            "[global]\nfind-links = /one\n\t/two\n\n",
            id="a list goes on in indented lines",
        ),
    ],
)
def test_keeps_where_packages_come_from(listing: str, expected: str) -> None:
    """Only settings about reaching the index are kept, the strongest of each."""
    assert read_pip_config(listing, environment={}).content == expected


def test_mounts_the_files_that_are_there(tmp_path: Path) -> None:
    """A bundle and a folder of wheels are mounted; an address or an absent path is not."""
    bundle, wheels = tmp_path / "bundle.pem", tmp_path / "wheels"
    bundle.touch()
    wheels.mkdir()
    links = f"{wheels}\\nhttps://wheels.example/\\n{tmp_path / 'absent'}"
    config = read_pip_config(f"global.cert='{bundle}'\nglobal.find-links='{links}'", environment={})
    assert config.files == (wheels, bundle)


def test_takes_the_bundle_of_all_programs(tmp_path: Path) -> None:
    """A certificate bundle named for every program counts where pip has none of its own."""
    bundle = tmp_path / "bundle.pem"
    bundle.touch()
    config = read_pip_config("", environment={"SSL_CERT_FILE": str(bundle)})
    assert config.files == (bundle,)
    assert config.content == f"[global]\ncert = {bundle}\n\n"
