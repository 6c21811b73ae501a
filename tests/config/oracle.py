"""What a text means, by PyYAML alone: the reader of the original tool."""

from typing import Any

import yaml


class _Loader(yaml.CSafeLoader):
    """PyYAML's, with the order of merged mappings that all its versions but 6.0.4 have."""

    def flatten_mapping(self, node: Any) -> None:  # noqa: ANN401 - a class made at run time
        merged = [value for key, value in node.value if key.tag.endswith(":merge")]
        node.value = [pair for pair in node.value if not pair[0].tag.endswith(":merge")]
        for source in [one for value in merged for one in _sources(value)]:  # the first ends last
            self.flatten_mapping(source)
            node.value = [*source.value, *node.value]


def _sources(value: Any) -> list[Any]:  # noqa: ANN401 - as above
    sources: list[Any] = value.value if value.id == "sequence" else [value]
    if any(one.id != "mapping" for one in sources):
        raise yaml.constructor.ConstructorError(None, None, "no mapping", value.start_mark)
    return sources


def read(text: str) -> Any:  # noqa: ANN401 - whatever it says
    """Return what a text means; sets, dates and pairs as PyYAML makes them.

    Raises:
        yaml.YAMLError: it is no YAML.
    """
    return yaml.load(text, _Loader)  # noqa: S506 - a safe loader
