"""Markdown and text files."""

import textwrap

from source import unlink

WIDTH = 78


def markdown(doc):
    meta, out = doc.meta, []
    first = meta.get("first", "title")
    out += [f"# {meta['name']}", ""]
    if meta.get("title"):
        out += [f"**{meta['title']}**", ""]
    out += [" · ".join(doc.contact) if doc.layout == "line" else "  \n".join(doc.contact), ""] if doc.contact else []
    for heading, items in doc.sections:
        out += [f"## {heading}", ""]
        for kind, value in items:
            if kind == "entry":
                title, org, place, dates = value
                names = [part for part in ((title, org) if first == "title" else (org, title)) if part]
                tail = doc.joined(*names[1:], place)
                if doc.layout == "line":
                    out += ["", f"### {names[0]}{', ' + tail if tail else ''}", *([f"*{dates}*"] if dates else []), ""]
                else:
                    out += ["", " | ".join(part for part in (f"**{names[0]}**", tail, dates) if part), ""]
            elif kind == "bullet":
                out.append(f"- {value}")
            elif kind == "pair":
                out.append(f"- **{value[0]}:** {value[1]}")
            else:
                out += [value, ""]
        out.append("")
    return squeeze(out)


def squeeze(lines):
    kept = [line for n, line in enumerate(lines) if line or (n and lines[n - 1])]
    return "\n".join(kept).strip() + "\n"


def wrap(text, first="", rest=None):
    rest = " " * len(first) if rest is None else rest
    return textwrap.wrap(unlink(text, "{0} ({1})"), WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def heading_lines(text, layout):
    if layout == "caps":
        return [text.upper(), ""]
    if layout == "underline":
        return [text, "-" * len(text)]
    if layout == "colon":
        return [f"{text}:"]
    return [f"=== {text} ===".upper(), ""]


def text(doc):
    meta, layout, out = doc.meta, doc.layout, []
    mark = {"caps": "- ", "underline": "* ", "colon": "  - ", "rule": "• "}[layout]
    if layout == "underline":
        out += [meta["name"], "=" * len(meta["name"])]
    else:
        out.append(meta["name"].upper() if layout == "caps" else meta["name"])
    out += [meta["title"]] if meta.get("title") else []
    contact = [unlink(c, "{1}") for c in doc.contact]
    out += contact if layout != "rule" else wrap(" | ".join(contact))
    for heading, items in doc.sections:
        out += ["", *heading_lines(heading, layout)]
        for kind, value in items:
            if kind == "entry":
                out += entry_lines(doc, value)
            elif kind == "bullet":
                out += wrap(value, mark)
            elif kind == "pair":
                out += wrap(f"{value[0]}: {value[1]}", "", "    ")
            else:
                out += wrap(value)
    return squeeze(out)


def entry_lines(doc, value):
    title, org, place, dates = value
    layout = doc.layout
    if layout == "caps":
        left = doc.joined(org, place)
        gap = " " * max(3, WIDTH - len(left or title) - len(dates))
        return ["", f"{left}{gap}{dates}", title] if left else ["", f"{title}{gap}{dates}"]
    if layout == "colon":
        names = doc.joined(title, org, place)
        return wrap(f"{dates}: {names}" if dates else names, "", "    ")
    if layout == "rule":
        return ["", *wrap(" | ".join(part for part in (dates, title, org, place) if part), "", "  ")]
    return ["", title, *[part for part in (doc.joined(org, place), dates) if part]]
