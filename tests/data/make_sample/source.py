"""Reads the plain-text sources: `=== slug format/producer/layout`, `key: value` lines, then `# section` blocks.

Inside a section: `@ a | b | c | d` is an entry (title, organization, place, dates), `- ` a bullet, `* key: value` a labeled
line, anything else a paragraph. `[text](address)` is a link wherever it stands.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

LINK = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")


@dataclass
class Document:
    slug: str
    kind: str  # pdf, docx, html, md or txt
    producer: str
    layout: str
    meta: dict = field(default_factory=dict)
    sections: list = field(default_factory=list)  # (heading, [(kind, value)])

    @property
    def file(self):
        return f"{self.slug}.{self.kind}"

    @property
    def rtl(self):
        return self.meta.get("lang") == "ar"

    def joined(self, *parts):
        """The parts that are there, with the comma of the document's script."""
        return ("، " if self.rtl else ", ").join(part for part in parts if part)

    @property
    def contact(self):
        return [part.strip() for part in self.meta.get("contact", "").split(" | ") if part.strip()]

    def split(self):
        """The sections of the sidebar (named in `side`) and the others."""
        side = [name.strip() for name in self.meta.get("side", "").split(",")]
        inside = [s for s in self.sections if s[0] in side]
        return inside, [s for s in self.sections if s[0] not in side]


def item(line):
    if line.startswith("@ "):
        parts = [part.strip() for part in line[2:].split("|")]
        return "entry", (parts + ["", "", "", ""])[:4]
    if line.startswith("- "):
        return "bullet", line[2:]
    if line.startswith("* ") and ": " in line:
        return "pair", tuple(line[2:].split(": ", 1))
    return "para", line


def read(path: Path):
    documents = []
    for line in path.read_text(encoding="utf-8").splitlines():
        line = line.strip()
        if line.startswith("=== "):
            slug, recipe = line[4:].split()
            documents.append(Document(slug, *recipe.split("/")))
        elif not line:
            continue
        elif line.startswith("# "):
            documents[-1].sections.append((line[2:], []))
        elif documents[-1].sections:
            documents[-1].sections[-1][1].append(item(line))
        else:
            key, value = line.split(": ", 1)
            documents[-1].meta[key] = value
    return documents


def unlink(text, form="{0}"):
    """The text with each link written as `form` (0 = its text, 1 = its address)."""
    return LINK.sub(lambda m: form.format(m[1], m[2]), text)
