"""WordprocessingML elements, and the archive with fixed times."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from netaudit.reports.document import Run, RunKind
from netaudit.reports.layout import Face

_FIXED_TIME = (1980, 1, 1, 0, 0, 0)


def qualified(name: str) -> str:
    """``w:p`` in lxml's spelling."""
    from docx.oxml.ns import qn

    return str(qn(name))


def element(name: str, **attributes: object) -> Any:
    """A WordprocessingML element; attributes are in the same namespace."""
    from docx.oxml.parser import OxmlElement

    made: Any = OxmlElement(name)
    for key, value in attributes.items():
        made.set(qualified(f"w:{key}"), str(value))
    return made


def run_element(run: Run, face: Face, *, bold: bool = False) -> Any:
    """A run of text; what people must supply is marked yellow."""
    made = element("w:r")
    made.append(
        run_properties(face, bold=bold or run.bold or face.bold, marked=run.kind is RunKind.MISSING)
    )
    text = element("w:t")
    text.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    text.text = xml_text(run.text)
    made.append(text)
    return made


def run_properties(face: Face, *, bold: bool = False, marked: bool = False) -> Any:
    """Fonts in all four slots, so that quotes and dashes take the Chinese face too."""
    properties = element("w:rPr")
    properties.append(
        element(
            "w:rFonts", hint="eastAsia", ascii=face.font, hAnsi=face.font, eastAsia=face.font, cs=face.font
        )
    )
    if bold:
        properties.append(element("w:b"))
    if face.spacing_twips:
        properties.append(element("w:spacing", val=face.spacing_twips))
    half_points = round(face.size_pt * 2)
    properties.append(element("w:sz", val=half_points))
    properties.append(element("w:szCs", val=half_points))
    if marked:
        properties.append(element("w:highlight", val="yellow"))
    return properties


def field_part(kind: str) -> Any:
    """A part of the page number's field: ``begin``, ``instr``, ``separate``, ``number``, ``end``."""
    if kind == "instr":
        code = element("w:instrText")
        code.text = " PAGE "
        return code
    if kind == "number":
        shown = element("w:t")
        shown.text = "1"
        return shown
    return element("w:fldChar", fldCharType=kind)


def xml_text(text: str) -> str:
    """Text that XML 1.0 can carry; `document.visible` has already spelled out the rest."""
    return "".join(
        c
        for c in text
        if c in "\t\n" or "\x20" <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff"
    )


def fixed_archive(data: bytes) -> bytes:
    """The archive again, members sorted with the content types first, all with one time."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist(), key=lambda n: (n != "[Content_Types].xml", n)):
            info = zipfile.ZipInfo(name, _FIXED_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            new.writestr(info, old.read(name))
    return out.getvalue()
