"""Templates to pages. All that comes from records, files and bundles is escaped, controls included."""

from typing import Any

from saiten.model.counted import counted
from saiten.pipelines.reports.numbers import percent, short_number
from saiten.pipelines.terminal import escape_controls, short_id


def render(template: str, **values: Any) -> bytes:
    """Returns a page of this folder's templates as UTF-8."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__, "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        count="{:,}".format,
        counted=counted,
        number=short_number,
        percent=percent,
        short_id=short_id,
        shown=lambda text: escape_controls(str(text)),
    )
    return environment.get_template(template).render(**values).encode()
