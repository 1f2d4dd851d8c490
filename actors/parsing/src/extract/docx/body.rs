//! One part of text (`document.xml`, a header or a footer) to rows.

use tandem_domain::finding::FindingKind;

use super::super::collect::Collector;
use super::super::{ExtractError, Limits};
use super::Row;
use super::package::Relations;
use super::paragraph::{Ground, Paragraph};
use super::properties::{RunProps, cell_fill};
use super::styles::Styles;
use super::table::Table;
use super::xml::{Piece, Tag, walk};

/// An empty paragraph's height in tenths of a line.
const EMPTY_PARAGRAPH: u16 = 10;
const WHITE: &str = "FFFFFF";

/// The rows of a part, in reading order.
#[derive(Default)]
pub(super) struct Body {
    pub lines: Vec<Row>,
    pub pages: u32,
    pub next_block: u32,
    hidden: Vec<(FindingKind, u32, u64)>,
    complete: bool,
}

impl Body {
    pub(super) fn read(
        xml: &str,
        relations: &Relations,
        styles: &Styles,
        limits: &Limits,
        first_block: u32,
    ) -> Result<Self, ExtractError> {
        let mut reader = Reader {
            relations,
            styles,
            body: Body { next_block: first_block, ..Body::default() },
            sinks: Vec::new(),
            paragraphs: Vec::new(),
            root_block: first_block,
            page: 1,
            rendered_breaks: xml.contains("lastRenderedPageBreak"),
            ground: if has_filled_shapes(xml) { None } else { Some(WHITE.to_owned()) },
            skipping: 0,
            choices: Vec::new(),
            field: None,
            instruction: false,
            run_text: 0,
            gap: 0,
        };
        let complete = walk(xml, limits.nesting, |piece| {
            match piece {
                Piece::Open(tag) => reader.open(&tag),
                Piece::Close(name) => reader.close(&name),
                Piece::Text(text) => reader.text(&text),
            }
            Ok(())
        })?;
        reader.end();
        Ok(Body { complete, pages: reader.page, next_block: reader.body.next_block + 1, ..reader.body })
    }

    pub(super) fn emit(self, out: &mut Collector) -> Result<(), ExtractError> {
        for row in self.lines {
            let at = out.push(row.line)?;
            for uri in &row.links {
                out.link(uri, at);
            }
        }
        for (kind, page, count) in self.hidden {
            out.hide(kind, page, count);
        }
        if !self.complete {
            out.damage(1, "a part of the document is cut off or damaged");
        }
        Ok(())
    }
}

/// Where finished rows go.
enum Sink {
    Table(Table),
    Box { rows: Vec<Row>, block: u32 },
}

struct Reader<'s> {
    relations: &'s Relations,
    styles: &'s Styles,
    body: Body,
    sinks: Vec<Sink>,
    paragraphs: Vec<Paragraph>,
    root_block: u32,
    page: u32,
    /// The file says where pages end; then explicit breaks would count twice.
    rendered_breaks: bool,
    /// The page's color, `None` where shapes may lie behind the text.
    ground: Option<String>,
    /// Depth inside deleted text or an unused alternative.
    skipping: u32,
    /// For each open `mc:AlternateContent`, whether its choice was read.
    choices: Vec<bool>,
    /// The instruction of the open field, until its separator.
    field: Option<String>,
    instruction: bool,
    /// Open `w:t` elements.
    run_text: u32,
    /// Space of empty paragraphs, in tenths of a line.
    gap: u16,
}

impl Reader<'_> {
    fn open(&mut self, tag: &Tag<'_>) {
        if self.skipping > 0 || self.starts_skipping(tag) {
            self.skipping += 1;
            return;
        }
        if self.property(tag) {
            return;
        }
        match tag.name.as_str() {
            "p" => self.paragraphs.push(Paragraph::default()),
            "tbl" => self.sinks.push(Sink::Table(Table::default())),
            "tc" => self.with_table(|table| {
                table.cells.push(Vec::new());
                table.cell_fill = None;
                table.in_cell = true;
            }),
            "txbxContent" => {
                self.body.next_block += 1;
                self.sinks.push(Sink::Box { rows: Vec::new(), block: self.body.next_block });
            }
            "AlternateContent" => self.choices.push(false),
            "Choice" => {
                if let Some(read) = self.choices.last_mut() {
                    *read = true;
                }
            }
            "hyperlink" => self.hyperlink(tag),
            "fldSimple" => self.field_link(&tag.attr("instr").unwrap_or_default()),
            "fldChar" => self.field_char(tag),
            "instrText" => self.instruction = true,
            "t" => self.run_text += 1,
            "lastRenderedPageBreak" => self.page += 1,
            "background" => self.ground = tag.attr("color").map(|color| color.to_ascii_uppercase()),
            _ => self.run_mark(tag),
        }
    }

    /// Deleted text, and the fallback for readers that do not know the choice.
    fn starts_skipping(&self, tag: &Tag<'_>) -> bool {
        match tag.name.as_str() {
            "del" | "moveFrom" | "delText" => true,
            "Fallback" => self.choices.last() == Some(&true),
            _ => false,
        }
    }

    /// Properties of the innermost run, paragraph or cell; gives whether the tag was one.
    fn property(&mut self, tag: &Tag<'_>) -> bool {
        let name = tag.name.as_str();
        if let Some(paragraph) = self.paragraphs.last_mut() {
            match name {
                "pPr" => paragraph.in_props += 1,
                "rPr" => paragraph.in_run_props += 1,
                "r" => {
                    paragraph.in_run += 1;
                    paragraph.run = RunProps::default();
                    paragraph.run_style = None;
                }
                // The paragraph mark's own look says nothing about the text.
                _ if paragraph.in_props > 0 && paragraph.in_run_props > 0 => {}
                _ if paragraph.in_props > 0 => paragraph.props.read(tag),
                "rStyle" if paragraph.in_run_props > 0 => paragraph.run_style = tag.val(),
                _ if paragraph.in_run_props > 0 => paragraph.run.read(tag),
                _ => return self.cell_property(tag),
            }
            return true;
        }
        self.cell_property(tag)
    }

    fn cell_property(&mut self, tag: &Tag<'_>) -> bool {
        let Some(Sink::Table(table)) = self.sinks.last_mut() else { return false };
        match tag.name.as_str() {
            "shd" if table.in_cell => table.cell_fill = cell_fill(tag),
            "shd" => table.fill = cell_fill(tag),
            "tblStyle" => {
                table.styled = !matches!(tag.val().as_deref(), Some("TableGrid" | "TableNormal") | None)
            }
            _ => return false,
        }
        true
    }

    fn run_mark(&mut self, tag: &Tag<'_>) {
        let page = self.page;
        let Some(paragraph) = self.paragraphs.last_mut().filter(|p| p.in_run > 0) else { return };
        match tag.name.as_str() {
            "tab" | "ptab" => paragraph.mark('\t', page),
            "noBreakHyphen" => paragraph.mark('-', page),
            "cr" => paragraph.break_line(page),
            "br" => {
                let breaks_page = tag.attr("type").is_some_and(|kind| kind == "page");
                self.page += u32::from(breaks_page && !self.rendered_breaks);
                paragraph.break_line(self.page);
            }
            "sym" => {
                let symbol = tag.attr("char").and_then(|hex| u32::from_str_radix(&hex, 16).ok());
                if let Some(symbol) = symbol.and_then(char::from_u32) {
                    paragraph.mark(symbol, page);
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        if self.skipping > 0 {
            self.skipping -= 1;
            return;
        }
        if let Some(paragraph) = self.paragraphs.last_mut() {
            match name {
                "pPr" => paragraph.in_props = paragraph.in_props.saturating_sub(1),
                "rPr" => paragraph.in_run_props = paragraph.in_run_props.saturating_sub(1),
                "r" => paragraph.in_run = paragraph.in_run.saturating_sub(1),
                _ => {}
            }
        }
        match name {
            "p" => self.end_paragraph(),
            "tc" => self.with_table(|table| table.in_cell = false),
            "tr" => self.end_row(),
            "tbl" if matches!(self.sinks.last(), Some(Sink::Table(_))) => self.end_sink(),
            "txbxContent" if matches!(self.sinks.last(), Some(Sink::Box { .. })) => self.end_sink(),
            "AlternateContent" => drop(self.choices.pop()),
            "instrText" => self.instruction = false,
            "t" => self.run_text = self.run_text.saturating_sub(1),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.skipping > 0 {
            return;
        }
        if self.instruction {
            self.field.get_or_insert_default().push_str(text);
            return;
        }
        if self.run_text == 0 {
            return;
        }
        let ground = self.ground();
        let (page, styles) = (self.page, self.styles);
        if let Some(paragraph) = self.paragraphs.last_mut() {
            // Line breaks of the file are spaces of the text.
            paragraph.text(&text.replace(['\n', '\t'], " "), styles, ground, page);
        }
    }

    /// What the current paragraph lies on: the innermost cell or box, else the page.
    fn ground(&self) -> Ground {
        for sink in self.sinks.iter().rev() {
            match sink {
                Sink::Box { .. } => return Ground::Unknown,
                Sink::Table(table) => match table.cell_fill.as_ref().or(table.fill.as_ref()) {
                    Some(fill) => return Ground::Color(fill.clone()),
                    None if table.styled => return Ground::Unknown,
                    None => {}
                },
            }
        }
        self.ground.clone().map_or(Ground::Unknown, Ground::Color)
    }

    fn end_paragraph(&mut self) {
        let Some(mut paragraph) = self.paragraphs.pop() else { return };
        let block = self.sinks.iter().rev().find_map(|sink| match sink {
            Sink::Box { block, .. } => Some(*block),
            Sink::Table(_) => None,
        });
        let rows = paragraph.rows(self.styles, block.unwrap_or(self.root_block), self.gap);
        self.gap = if rows.is_empty() { self.gap.saturating_add(EMPTY_PARAGRAPH) } else { 0 };
        let page = self.page;
        self.body.hidden.extend(paragraph.hidden.iter().map(|(kind, count)| (*kind, page, *count)));
        self.deliver(rows);
        self.deliver(paragraph.boxes);
    }

    fn end_row(&mut self) {
        let Some(Sink::Table(table)) = self.sinks.last_mut() else { return };
        let was_layout = table.end_row(&mut self.body.next_block);
        if was_layout && self.paragraphs.is_empty() {
            self.body.next_block += 1;
            self.root_block = self.body.next_block;
        }
    }

    fn end_sink(&mut self) {
        match self.sinks.pop() {
            Some(Sink::Table(mut table)) => {
                table.end_row(&mut self.body.next_block);
                self.deliver(table.rows);
            }
            Some(Sink::Box { rows, .. }) => match self.paragraphs.last_mut() {
                Some(anchor) => anchor.boxes.extend(rows),
                None => self.deliver(rows),
            },
            None => {}
        }
    }

    fn deliver(&mut self, rows: Vec<Row>) {
        match self.sinks.last_mut() {
            Some(Sink::Box { rows: sink, .. }) => sink.extend(rows),
            Some(Sink::Table(table)) => match table.cells.last_mut() {
                Some(cell) => cell.extend(rows),
                None => table.rows.extend(rows),
            },
            None => self.body.lines.extend(rows),
        }
    }

    /// A cut-off part leaves elements open: what they hold was seen.
    fn end(&mut self) {
        while !self.paragraphs.is_empty() || !self.sinks.is_empty() {
            self.end_paragraph();
            self.end_sink();
        }
    }

    fn with_table(&mut self, change: impl FnOnce(&mut Table)) {
        if let Some(Sink::Table(table)) = self.sinks.last_mut() {
            change(table);
        }
    }

    fn hyperlink(&mut self, tag: &Tag<'_>) {
        let target = tag.attr("id").and_then(|id| self.relations.target(&id).map(str::to_owned));
        let page = self.page;
        if let (Some(uri), Some(paragraph)) = (target, self.paragraphs.last_mut()) {
            paragraph.link(uri, page);
        }
    }

    fn field_char(&mut self, tag: &Tag<'_>) {
        match tag.attr("fldCharType").as_deref() {
            Some("begin") => self.field = Some(String::new()),
            Some(_) => {
                let instruction = self.field.take().unwrap_or_default();
                self.field_link(&instruction);
            }
            None => {}
        }
    }

    /// `HYPERLINK "address"` (ECMA-376 part 1, 17.16.5.25).
    fn field_link(&mut self, instruction: &str) {
        let Some(rest) = instruction.trim_start().strip_prefix("HYPERLINK") else { return };
        let uri = match rest.split('"').nth(1) {
            Some(quoted) => quoted,
            None => rest.trim(),
        };
        let page = self.page;
        if let Some(paragraph) = self.paragraphs.last_mut().filter(|_| !rest.trim_start().starts_with("\\l"))
        {
            paragraph.link(uri.to_owned(), page);
        }
    }
}

/// Whether the part draws filled shapes: light text may then lie on a dark one.
fn has_filled_shapes(xml: &str) -> bool {
    (xml.contains("<wps:wsp") || xml.contains("<wpg:wgp")) && xml.contains("<a:solidFill")
        || xml.contains("fillcolor=")
        || xml.contains("<pic:pic") && xml.contains("behindDoc=\"1\"")
}
