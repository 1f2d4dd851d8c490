"""HTML pages: the HTML files themselves and what chromium, weasyprint and LibreOffice turn into PDF or DOCX."""

import html
import json

from source import LINK

BASE = """
@page { size: A4; margin: %(margin)s }
* { box-sizing: border-box }
body { font: %(size)s/1.38 %(font)s; color: #222; margin: 0 }
h1, h2, h3, p, ul { margin: 0 }
ul { padding-inline-start: 1.25em; margin: 2px 0 7px }
h2 { margin: 13px 0 5px; break-after: avoid }
.entry { margin-top: 7px; break-inside: avoid }
.dates { float: inline-end; color: #444 }
.place { color: #555 }
"""
SANS = "'Liberation Sans', 'Noto Sans Arabic', sans-serif"
SERIF = "'Liberation Serif', 'Noto Naskh Arabic', serif"
NOTO = "'Noto Sans', 'Noto Kufi Arabic', sans-serif"

THEMES = {
    "classic": (SERIF, "11pt", "17mm 19mm", """
header { text-align: center } h1 { font-size: 22pt; font-weight: normal; font-variant: small-caps }
h2 { font-size: 12pt; text-transform: uppercase; border-bottom: 1px solid #333; letter-spacing: .6px }"""),
    "modern": (NOTO, "9.6pt", "14mm 16mm", """
header { background: #1f4e5f; color: #fff; padding: 12px 16px; margin-bottom: 8px } header a { color: #fff }
h1 { font-size: 21pt } h2 { color: #1f4e5f; font-size: 12.5pt } .title { font-weight: 600 } .org { font-style: italic }"""),
    "left": (SANS, "9.8pt", "12mm 0", """
@page :first { margin-top: 0 }
.cols { display: grid; grid-template-columns: 33% 67%; min-height: 284mm }
aside { background: #243447; color: #eef; padding: 12mm 7mm } aside a { color: #cfe0ff } main { padding: 12mm 10mm }
aside h2 { font-size: 11pt; border-bottom: 1px solid #88a } main h2 { font-size: 12.5pt; color: #243447 }
h1 { font-size: 20pt; line-height: 1.1 } aside p { margin: 2px 0; overflow-wrap: anywhere }"""),
    "right": (NOTO, "9.3pt", "13mm 14mm", """
.cols { display: grid; grid-template-columns: 66% 31%; gap: 3% } .cols main { order: 1 }
.cols aside { order: 2; border-inline-start: 2px solid #b5562b; padding-inline-start: 9px }
header { border-bottom: 2px solid #b5562b; padding-bottom: 6px } h1 { font-size: 23pt; font-weight: 300 }
h2 { font-size: 11pt; color: #b5562b; text-transform: uppercase } aside p { overflow-wrap: anywhere }"""),
    "table": (SANS, "10pt", "16mm 17mm", """
table { border-collapse: collapse; width: 100% } td { vertical-align: top; padding: 3px 0 }
td.when { width: 24%; color: #555; padding-inline-end: 10px; white-space: nowrap } h1 { font-size: 19pt }
.entry { margin-top: 0 } h2 { font-size: 11.5pt; background: #e8e8e8; padding: 3px 6px }"""),
    "simple": (SANS, "11pt", "20mm", "h1 { font-size: 18pt } h2 { font-size: 13pt }"),
}


def rich(text):
    """Escaped text with links kept as links."""
    return LINK.sub(lambda m: f'<a href="{m[2]}">{m[1]}</a>', html.escape(text, quote=False))


def entry(doc, value, layout):
    title, org, place, dates = map(rich, value)
    if layout == "simple":
        tail = doc.joined(org, place)
        return f"<p><b>{title}</b>{' – ' + tail if tail else ''}<br><i>{dates}</i></p>"
    when = f'<span class="dates">{dates}</span>' if dates and layout != "table" else ""
    comma = "،" if doc.rtl else ","
    place = f'{comma} <span class="place">{place}</span>' if place else ""
    names = [f'<b class="title">{title}</b>', f'<span class="org">{org}</span>{place}' if org or place else ""]
    names = [name for name in (names if doc.meta.get("first") != "org" else names[::-1]) if name]
    return f'<div class="entry">{when}{"<br>".join(names)}</div>'


def body(doc, items, layout):
    out, bullets = [], []

    def flush():
        if bullets:
            out.append("<ul>" + "".join(f"<li>{b}</li>" for b in bullets) + "</ul>")
            bullets.clear()

    for kind, value in items:
        if kind == "bullet":
            bullets.append(rich(value))
            continue
        flush()
        if kind == "entry":
            shown = entry(doc, value, layout)
            out.append((value[3], shown) if layout == "table" else shown)
        elif kind == "pair":
            out.append(f"<p><b>{rich(value[0])}:</b> {rich(value[1])}</p>")
        else:
            out.append(f"<p>{rich(value)}</p>")
    flush()
    return rows(out) if layout == "table" else "\n".join(out)


def rows(parts):
    """The date of each entry in the left cell of a table, all that follows it in the right one."""
    cells = [["", []]]
    for part in parts:
        if isinstance(part, tuple):
            cells.append([part[0], [part[1]]])
        else:
            cells[-1][1].append(part)
    if len(cells) == 1:
        return "\n".join(cells[0][1])
    lines = "".join(f'<tr><td class="when">{html.escape(d)}</td><td>{"".join(c)}</td></tr>' for d, c in cells if c)
    return f"<table>{lines}</table>"


def page(doc, layout=None, screen=False):
    layout = layout or doc.layout
    font, size, margin, css = THEMES[layout]
    meta = doc.meta
    style = BASE % {"font": font, "size": size, "margin": margin} + css
    if layout == "simple" and doc.rtl:  # LibreOffice aligns by the physical side
        style += "\nh1, h2, p, li { text-align: right }"
    if screen:
        style += "\nbody { max-width: 210mm; margin: 10mm auto; padding: 0 8mm }"
    label = " | ".join(rich(c) for c in doc.contact)
    stacked = "".join(f"<p>{rich(c)}</p>" for c in doc.contact)
    name, title = rich(meta["name"]), rich(meta.get("title", ""))

    def block(sections):
        return "".join(f"<section><h2>{rich(h)}</h2>\n{body(doc, i, layout)}</section>\n" for h, i in sections)

    side, rest = doc.split()
    if layout == "left":
        content = (f'<div class="cols"><aside><h1>{name}</h1><p>{title}</p><h2>{meta.get("contacthead", "Contact")}</h2>'
                   f"{stacked}{block(side)}</aside><main>{block(rest)}</main></div>")
    elif layout == "right":
        content = (f'<header><h1>{name}</h1><p>{title}</p></header><div class="cols"><main>{block(rest)}</main>'
                   f'<aside><h2>{meta.get("contacthead", "Contact")}</h2>{stacked}{block(side)}</aside></div>')
    else:
        content = f"<header><h1>{name}</h1><p>{title}</p><p>{label}</p></header>\n{block(doc.sections)}"
    ld = ""
    if "jsonld" in meta:
        ld = f'<script type="application/ld+json">\n{posting(doc)}\n</script>\n'
    lang = meta.get("lang", "en")
    return (f'<!DOCTYPE html>\n<html lang="{lang}" dir="{"rtl" if doc.rtl else "ltr"}">\n<head>\n<meta charset="utf-8">\n'
            f"<title>{html.escape(meta['name'])}</title>\n<style>{style}</style>\n{ld}</head>\n<body>\n{content}\n</body>\n</html>\n")


def posting(doc):
    """The schema.org JobPosting of a job, its description the visible sections."""
    meta = doc.meta
    text = "".join(f"<h2>{h}</h2>{body(doc, i, 'simple')}" for h, i in doc.sections)
    city, country = (part.strip() for part in meta["place"].rsplit(",", 1))
    address = {"@type": "PostalAddress", "addressLocality": city, "addressCountry": country}
    low, high, currency, unit = meta["jsonld"].split()
    amount = {"@type": "QuantitativeValue", "minValue": int(low), "maxValue": int(high), "unitText": unit}
    return json.dumps({
        "@context": "https://schema.org/", "@type": "JobPosting", "title": meta["name"], "description": text,
        "datePosted": "2026-10-05", "validThrough": "2026-12-31T23:59", "employmentType": "FULL_TIME",
        "hiringOrganization": {"@type": "Organization", "name": meta["company"]},
        "jobLocation": {"@type": "Place", "address": address},
        "baseSalary": {"@type": "MonetaryAmount", "currency": currency, "value": amount},
    }, indent=1, ensure_ascii=False).replace("</", "<\\/")
