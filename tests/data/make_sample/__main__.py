"""Makes tests/data/sample from the sources beside this file: `python3 tests/data/make_sample [slug ...]`.

Needs chromium, LibreOffice (soffice), fonts-liberation, fonts-dejavu-core, fonts-noto-core and the Python packages
python-docx, reportlab, fpdf2 and weasyprint. Dates and identifiers inside the files are fixed, so that a second run with the
same versions of the tools gives the same bytes.
"""

import datetime
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import page
import papers
import plain
import source
import word

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parent / "sample"
WHEN = datetime.datetime(2026, 10, 1, tzinfo=datetime.timezone.utc)
CHROMIUM = ("chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
            "--disable-component-update --disable-sync --no-pdf-header-footer").split()


def chromium(html, out, work):
    subprocess.run([*CHROMIUM, f"--user-data-dir={work}/profile", f"--print-to-pdf={out}", f"file://{html}"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def soffice(files, target, out, work, infilter=None):
    """One start of LibreOffice for all files: starting it costs more than converting."""
    if files:
        extra = [f"--infilter={infilter}"] if infilter else []
        subprocess.run(["soffice", f"-env:UserInstallation=file://{work}/office", "--headless", *extra, "--convert-to", target,
                        "--outdir", str(out), *map(str, files)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def fix_pdf(path):
    """Replaces the moments and random identifiers by fixed ones of the same length."""
    data = path.read_bytes()
    data = re.sub(rb"(/(?:CreationDate|ModDate) ?\(D:)\d{14}", rb"\g<1>20261001000000", data)
    data = re.sub(rb"(/ID ?\[ ?<)([0-9A-Fa-f]+)(>\s*<)([0-9A-Fa-f]+)(>)",
                  lambda m: m[1] + b"0" * len(m[2]) + m[3] + b"0" * len(m[4]) + m[5], data)
    data = re.sub(rb"(/DocChecksum /)[0-9A-F]{32}", rb"\g<1>" + b"0" * 32, data)
    path.write_bytes(data)


def fix_docx(path):
    """Rewrites the archive with fixed times and without the picture that python-docx ships."""
    with zipfile.ZipFile(path) as old:
        parts = [(name, old.read(name)) for name in old.namelist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in parts:
            if name == "docProps/core.xml":
                data = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2026-10-01T00:00:00Z", data)
            info = zipfile.ZipInfo(name, (2026, 10, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, data)


def text_bytes(doc):
    written = plain.text(doc)
    if doc.producer == "utf16":
        return b"\xff\xfe" + written.encode("utf-16-le")
    if doc.producer == "cp1252":
        return written.replace("\n", "\r\n").encode("cp1252")
    return written.encode("utf-8")


def render(doc, out, work, later):
    """Writes one file, or files it under `later` for the common LibreOffice run."""
    path = out / doc.file
    match doc.kind, doc.producer:
        case "txt", _:
            path.write_bytes(text_bytes(doc))
        case "md", _:
            path.write_text(plain.markdown(doc), encoding="utf-8")
        case "html", _:
            path.write_text(page.page(doc, screen=True), encoding="utf-8")
        case "docx", "python-docx":
            word.Writer(doc).write().save(str(path))
        case "pdf", "reportlab":
            papers.Platypus(doc).write(path)
        case "pdf", "fpdf2":
            papers.fpdf(doc, path, WHEN)
        case "pdf", "weasyprint":
            import weasyprint
            weasyprint.HTML(string=page.page(doc)).write_pdf(str(path))
        case "pdf", "chromium":
            html = work / f"{doc.slug}.html"
            html.write_text(page.page(doc), encoding="utf-8")
            chromium(html, path, work)
        case "pdf", "libreoffice":
            docx = work / f"{doc.slug}.docx"
            word.Writer(doc).write().save(str(docx))
            later[("pdf:writer_pdf_Export", out, None)].append(docx)
        case "docx", "libreoffice":
            html = work / f"{doc.slug}.html"
            html.write_text(page.page(doc), encoding="utf-8")
            later[("docx:MS Word 2007 XML", out, "HTML (StarWriter)")].append(html)
        case recipe:
            sys.exit(f"{doc.slug}: unknown recipe {recipe}")


def qrels(jobs, people):
    files = {person.slug: person.file for person in people}
    lines = []
    for job in jobs:
        best = job.meta["best"].split(", ")
        near = [slug for slug in job.meta.get("near", "").split(", ") if slug]
        for rel, slugs in ((3, best[:1]), (2, best[1:2]), (1, best[2:]), (0, near)):
            lines += [f"{job.file} 0 {files[slug]} {rel}" for slug in slugs]
    return "\n".join(lines) + "\n"


def main():
    os.environ.update(SOURCE_DATE_EPOCH=str(int(WHEN.timestamp())), PYTHONHASHSEED="0")
    wanted = set(sys.argv[1:])
    jobs = source.read(HERE / "jobs.txt")
    people = [person for path in sorted((HERE / "people").glob("*.txt")) for person in source.read(path)]
    with tempfile.TemporaryDirectory() as folder:
        work, later, written = Path(folder), {}, []
        for name, documents in (("jobs", jobs), ("resumes", people)):
            out = SAMPLE / name
            out.mkdir(parents=True, exist_ok=True)
            for key in (("pdf:writer_pdf_Export", out, None), ("docx:MS Word 2007 XML", out, "HTML (StarWriter)")):
                later[key] = []
            for doc in documents:
                if not wanted or doc.slug in wanted:
                    render(doc, out, work, later)
                    written.append(out / doc.file)
        for (target, out, infilter), files in later.items():
            soffice(files, target, out, work, infilter)
        for path in written:
            {".pdf": fix_pdf, ".docx": fix_docx}.get(path.suffix, lambda _: None)(path)
    (SAMPLE / "qrels").write_text(qrels(jobs, people), encoding="utf-8")
    print(f"{len(written)} files")


if __name__ == "__main__":
    main()
