"""`docs/mesh.md`: the objects that it shows are accepted as they stand."""

import yaml

from harness.compiling import inputs_of
from harness.pages import page
from understudy_operator.compile import compile_objects

PAGE = page("docs/mesh.md")


def test_the_objects_of_the_page() -> None:
    """Nobody copies what the operator would complain of, and the provider is what the page says."""
    shown = PAGE.partition("```yaml\n")[2].partition("```")[0]
    compiled = compile_objects(inputs_of(list(yaml.safe_load_all(shown))))
    assert [] == [finding for verdict in compiled.verdicts for finding in verdict.findings]
    source = compiled.config.providers["ai/claude-agents"].mesh
    assert source is not None
    assert (("claude", "+fast", "-beta"), ">=1.0, <3") == (source.tags, source.version)
