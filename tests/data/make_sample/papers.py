"""PDF files drawn directly by reportlab and fpdf2."""

import html

from fpdf import FPDF
from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4, LETTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (BaseDocTemplate, Frame, FrameBreak, HRFlowable, NextPageTemplate, PageTemplate, Paragraph,
                                SimpleDocTemplate, Spacer, Table)

from source import LINK, unlink

LIBERATION = "/usr/share/fonts/truetype/liberation/Liberation"
NOTO = "/usr/share/fonts/truetype/noto/NotoSans"


def marked(text):
    return LINK.sub(lambda m: f'<a href="{m[2]}" color="#1a4f8a">{m[1]}</a>', html.escape(text, quote=False))


class Platypus:
    """Layouts `single` (standard fonts), `letter` (embedded subset, US Letter), `two` (sidebar on the left)."""

    def __init__(self, doc):
        self.doc = doc
        if doc.layout == "single":
            self.font, self.bold = "Times-Roman", "Times-Bold"
        else:
            self.font, self.bold = "Sans", "Sans-Bold"
            pdfmetrics.registerFont(TTFont("Sans", f"{LIBERATION}Sans-Regular.ttf"))
            pdfmetrics.registerFont(TTFont("Sans-Bold", f"{LIBERATION}Sans-Bold.ttf"))
        size = 10.4 if doc.layout == "single" else 9.4
        self.normal = ParagraphStyle("n", fontName=self.font, fontSize=size, leading=size * 1.33, spaceAfter=2)
        self.bullet = ParagraphStyle("b", parent=self.normal, leftIndent=11, bulletIndent=2)
        self.strong = ParagraphStyle("s", parent=self.normal, fontName=self.bold)
        self.right = ParagraphStyle("r", parent=self.normal, alignment=TA_RIGHT)
        self.head = ParagraphStyle("h", fontName=self.bold, fontSize=size + 1.6, leading=size * 1.6, spaceBefore=8,
                                   textColor=colors.HexColor("#1a4f8a"))
        center = TA_CENTER if doc.layout == "single" else 0
        self.name = ParagraphStyle("t", fontName=self.bold, fontSize=19, leading=24, alignment=center)
        self.sub = ParagraphStyle("u", parent=self.normal, alignment=center)

    def entry(self, value, width):
        title, org, place, dates = map(html.escape, value)
        tail = self.doc.joined(org, place)
        if self.doc.meta.get("first") == "org" and tail:
            title, tail = tail, title
        row = Table([[Paragraph(title, self.strong), Paragraph(dates, self.right)]], colWidths=[width * 0.68, width * 0.32],
                    style=[("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 0),
                           ("TOPPADDING", (0, 0), (-1, -1), 3), ("BOTTOMPADDING", (0, 0), (-1, -1), 0), ("VALIGN", (0, 0), (-1, -1), "TOP")])
        return [row] + ([Paragraph(f"<i>{tail}</i>" if self.font == "Times-Roman" else tail, self.normal)] if tail else [])

    def flow(self, sections, width):
        out = []
        for heading, items in sections:
            out.append(Paragraph(html.escape(heading), self.head))
            out.append(HRFlowable(width="100%", thickness=0.6, color=colors.grey, spaceAfter=3))
            for kind, value in items:
                if kind == "entry":
                    out += self.entry(value, width)
                elif kind == "bullet":
                    out.append(Paragraph(marked(value), self.bullet, bulletText="•"))
                elif kind == "pair":
                    out.append(Paragraph(f'<font name="{self.bold}">{marked(value[0])}:</font> {marked(value[1])}', self.normal))
                else:
                    out.append(Paragraph(marked(value), self.normal))
        return out

    def write(self, path):
        meta, doc = self.doc.meta, self.doc
        top = [Paragraph(html.escape(meta["name"]), self.name), Paragraph(html.escape(meta.get("title", "")), self.sub)]
        facts = {"title": meta["name"], "author": meta["name"], "invariant": 1}
        if doc.layout != "two":
            size = LETTER if doc.layout == "letter" else A4
            frame = SimpleDocTemplate(str(path), pagesize=size, leftMargin=19 * mm, rightMargin=19 * mm, topMargin=16 * mm,
                                      bottomMargin=16 * mm, **facts)
            width = size[0] - 38 * mm
            line = Paragraph("  |  ".join(map(marked, doc.contact)), self.sub)
            frame.build([*top, line, Spacer(1, 3), *self.flow(doc.sections, width)])
            return
        side, rest = doc.split()
        left = Frame(11 * mm, 12 * mm, 54 * mm, 272 * mm, id="side")
        main = [Frame(70 * mm, 12 * mm, 128 * mm, 272 * mm, id=f"main{n}") for n in range(2)]
        book = BaseDocTemplate(str(path), pagesize=A4, **facts)
        book.addPageTemplates([PageTemplate("first", [left, main[0]], onPage=self.rule), PageTemplate("later", [main[1]])])
        facts_left = [Paragraph(meta.get("contacthead", "Contact"), self.head), *[Paragraph(marked(c), self.normal) for c in doc.contact]]
        book.build([NextPageTemplate("later"), *top, *facts_left, *self.flow(side, 50 * mm), FrameBreak(), *self.flow(rest, 124 * mm)])

    @staticmethod
    def rule(canvas, _):
        canvas.setStrokeColor(colors.HexColor("#9aa7b5"))
        canvas.line(67.5 * mm, 14 * mm, 67.5 * mm, 282 * mm)


def fpdf(doc, path, when):
    """Layouts `core` (standard Helvetica) and `noto` (embedded subset); dates at the right margin."""
    pdf = FPDF(format="A4")
    pdf.set_creation_date(when)
    pdf.set_title(doc.meta["name"])
    family = "Helvetica"
    if doc.layout == "noto":
        family = "NotoSans"
        pdf.add_font(family, "", f"{NOTO}-Regular.ttf")
        pdf.add_font(family, "B", f"{NOTO}-Bold.ttf")
    pdf.set_margins(18, 16)
    pdf.set_auto_page_break(True, 15)
    pdf.add_page()

    def put(text, style="", size=9.8, height=4.7, indent=0.0):
        pdf.set_font(family, style, size)
        pdf.set_x(18 + indent)
        pdf.multi_cell(0, height, text, new_x="LMARGIN", new_y="NEXT", align="L")

    put(doc.meta["name"], "B", 20, 9)
    put(doc.meta.get("title", ""), "", 12, 6)
    put("   ".join(unlink(c, "{1}") for c in doc.contact), "", 9)
    for heading, items in doc.sections:
        pdf.ln(2.5)
        put(heading.upper(), "B", 11, 6)
        pdf.line(18, pdf.get_y(), 192, pdf.get_y())
        pdf.ln(1.2)
        for kind, value in items:
            if kind == "entry":
                title, org, place, dates = value
                pdf.ln(1)
                pdf.set_font(family, "B", 10)
                pdf.cell(124, 5, title)
                pdf.set_font(family, "", 9.5)
                pdf.cell(50, 5, dates, align="R", new_x="LMARGIN", new_y="NEXT")
                if org:
                    put(doc.joined(org, place))
            elif kind == "bullet":
                pdf.set_font(family, "", 9.8)
                pdf.cell(4.5, 4.7, "-" if family == "Helvetica" else "•")
                put(unlink(value), indent=4.5)
            elif kind == "pair":
                put(f"{value[0]}: {unlink(value[1])}")
            else:
                put(unlink(value))
    pdf.output(str(path))
