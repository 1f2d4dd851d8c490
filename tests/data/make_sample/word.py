"""DOCX files by python-docx; LibreOffice turns some of them into PDF."""

from docx import Document as Word
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from source import LINK

FONTS = {"plain": "Calibri", "tabs": "Liberation Serif", "side": "Liberation Sans", "header": "Liberation Sans", "grid": "DejaVu Sans"}
ARABIC_FONT = "Noto Naskh Arabic"


class Writer:
    def __init__(self, doc):
        self.doc, self.layout = doc, doc.layout
        self.word = Word()
        self.box = self.word  # where paragraphs go: the body or a table's cell
        section = self.word.sections[0]
        section.page_width, section.page_height = Cm(21), Cm(29.7)
        section.left_margin = section.right_margin = Cm(2)
        section.top_margin = section.bottom_margin = Cm(1.8)
        normal = self.word.styles["Normal"]
        normal.font.name, normal.font.size = FONTS[self.layout], Pt(10 if self.layout == "side" else 10.5)
        normal.paragraph_format.space_after = Pt(3)
        for style in ("Heading 1", "Heading 2", "Title"):
            self.word.styles[style].font.name = FONTS[self.layout]
            self.word.styles[style].font.color.rgb = RGBColor(0x20, 0x3A, 0x5C)

    def para(self, text="", style=None, bold=False, size=None, italic=False):
        p = self.box.add_paragraph(style=style)
        if self.doc.rtl:
            p._p.get_or_add_pPr().append(OxmlElement("w:bidi"))
        self.runs(p, text, bold, size, italic)
        return p

    def runs(self, p, text, bold=False, size=None, italic=False):
        at = 0
        for m in LINK.finditer(text):
            self.run(p, text[at:m.start()], bold, size, italic)
            self.link(p, m[1], m[2])
            at = m.end()
        self.run(p, text[at:], bold, size, italic)

    def run(self, p, text, bold=False, size=None, italic=False):
        if not text:
            return None
        run = p.add_run(text)
        run.bold, run.italic = bold or None, italic or None
        if size:
            run.font.size = Pt(size)
        if self.doc.rtl:
            fonts = run._r.get_or_add_rPr().get_or_add_rFonts()
            fonts.set(qn("w:cs"), ARABIC_FONT)
            for tag, value in (("w:bCs", None if bold else "0"), ("w:szCs", str(int((size or 10.5) * 2))), ("w:rtl", None)):
                mark = OxmlElement(tag)
                if value:
                    mark.set(qn("w:val"), value)
                run._r.rPr.append(mark)
        return run

    def link(self, p, text, address):
        rel = p.part.relate_to(address, RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
        node = OxmlElement("w:hyperlink")
        node.set(qn("r:id"), rel)
        run = self.run(p, text)
        run.font.underline, run.font.color.rgb = True, RGBColor(0x05, 0x63, 0xC1)
        node.append(run._r)
        p._p.append(node)

    def heading(self, text):
        if self.layout in ("plain", "header", "grid"):
            self.para(text, style="Heading 1", size=13)
            return
        p = self.para(text if self.doc.rtl else text.upper(), bold=True, size=11.5)
        p.paragraph_format.space_before, p.paragraph_format.keep_with_next = Pt(9), True
        borders = OxmlElement("w:pBdr")
        line = OxmlElement("w:bottom")
        for key, value in (("val", "single"), ("sz", "6"), ("space", "1"), ("color", "808080")):
            line.set(qn(f"w:{key}"), value)
        borders.append(line)
        p._p.get_or_add_pPr().append(borders)

    def entry(self, value):
        title, org, place, dates = value
        tail = self.doc.joined(org, place)
        if self.doc.meta.get("first") == "org" and org:
            title, tail = self.doc.joined(org, place), title
        if self.layout == "tabs":
            p = self.para(title, bold=True)
            p.paragraph_format.tab_stops.add_tab_stop(Cm(17), WD_TAB_ALIGNMENT.RIGHT)
            self.run(p, f"\t{dates}")
            if tail:
                self.para(tail, italic=True)
        elif self.layout == "header":
            self.para(f"{title} | {tail}" if tail else title, style="Heading 2", size=11)
            if dates:
                self.para(dates, italic=True)
        else:
            p = self.para(title, bold=True)
            self.run(p, "".join(f" – {part}" for part in (tail, dates) if part))

    def items(self, items):
        for kind, value in items:
            if kind == "entry":
                self.entry(value)
            elif kind == "bullet":
                self.para(value, style="List Bullet")
            elif kind == "pair":
                p = self.para(f"{value[0]}: ", bold=True)
                self.runs(p, value[1])
            else:
                self.para(value)

    def name(self):
        meta = self.doc.meta
        self.para(meta["name"], style="Title" if self.layout in ("plain", "grid") else None, bold=True, size=20)
        if meta.get("title"):
            self.para(meta["title"], size=12)

    def contact(self, lines=False):
        if lines:
            for part in self.doc.contact:
                self.para(part)
        elif self.doc.contact:
            self.para(" | ".join(self.doc.contact))

    def sections(self, sections):
        for heading, items in sections:
            self.heading(heading)
            self.items(items)

    def table(self, widths, style=None):
        table = self.word.add_table(rows=1, cols=len(widths), style=style)
        table.autofit = False
        if self.doc.rtl:
            table._tbl.tblPr.append(OxmlElement("w:bidiVisual"))
        for column, width in zip(table.columns, widths):
            column.width = Cm(width)
        for cell, width in zip(table.rows[0].cells, widths):
            cell.width = Cm(width)
        return table

    def write(self):
        if self.layout == "side":
            self.sidebar()
        elif self.layout == "grid":
            self.grid()
        elif self.layout == "header":
            self.page_header()
        else:
            self.name()
            self.contact()
            self.sections(self.doc.sections)
            if self.layout == "tabs" and not self.doc.rtl:
                self.word.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.CENTER
        props = self.word.core_properties
        props.author, props.title, props.comments = self.doc.meta["name"], self.doc.meta["name"], ""
        return self.word

    def sidebar(self):
        side, rest = self.doc.split()
        cells = self.table((6.0, 11.0)).rows[0].cells
        self.box = cells[0]
        self.name()
        self.heading(self.doc.meta.get("contacthead", "Contact"))
        self.contact(lines=True)
        self.sections(side)
        self.box = cells[1]
        self.sections(rest)
        for cell in cells:
            cell._tc.remove(cell.paragraphs[0]._p)

    def grid(self):
        """Each section one row of a table: its heading on the left, its content on the right."""
        self.name()
        self.contact()
        table = self.table((3.8, 13.2))
        for n, (heading, items) in enumerate(self.doc.sections):
            row = table.rows[0] if n == 0 else table.add_row()
            self.box = row.cells[0]
            self.para(heading, bold=True)
            self.box = row.cells[1]
            self.items(items)
            for cell, width in zip(row.cells, (3.8, 13.2)):
                cell.width = Cm(width)
                cell._tc.remove(cell.paragraphs[0]._p)

    def page_header(self):
        section = self.word.sections[0]
        self.box = section.header
        self.contact()
        self.box = section.footer
        self.para(self.doc.meta.get("footer", f"{self.doc.meta['name']} – Curriculum Vitae"), size=8)
        self.box = self.word
        self.name()
        self.sections(self.doc.sections)
