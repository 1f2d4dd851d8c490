//! One pass over the tree of a page: opens and closes frames, gathers inline text into lines.

use ego_tree::NodeRef;
use ego_tree::iter::Edge;
use scraper::Node;
use scraper::node::Element;
use tandem_domain::finding::FindingKind;

use super::super::collect::Collector;
use super::super::{ExtractError, Limits, Line};
use super::Head;
use super::css::{Declared, Paint, Sheet, Size};

/// The browser's base font size in points.
const BASE_SIZE: f32 = 12.0;
/// Below this many points nobody reads.
const TINY_POINTS: f32 = 2.0;
/// Colors closer than this in every channel are the same to the eye.
const SAME_COLOR: u8 = 12;
const PARAGRAPH_SPACE: u16 = 10;

/// Elements whose content is no text of the page.
const SKIPPED: &[&str] = &[
    "script", "style", "head", "template", "noscript", "svg", "iframe", "object", "select", "textarea",
    "datalist", "audio", "video", "canvas", "math",
];
/// Elements that begin and end a line.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "caption",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "html",
    "legend",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
];
/// Blocks with a margin above.
const SPACED: &[&str] =
    &["blockquote", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ol", "p", "section", "table", "ul"];
/// Elements that are a region of their own.
const REGIONS: &[&str] = &["aside", "article", "footer", "header", "main", "nav"];

/// The inherited state of one open element.
#[derive(Clone)]
struct Frame {
    /// Nothing inside is text of the page: scripts, form controls.
    skipped: bool,
    hidden: Option<FindingKind>,
    bold: bool,
    size: f32,
    color: Paint,
    background: Paint,
    heading: u8,
    pre: bool,
    /// Inside a row of a data table: cells share one line.
    row: bool,
    block: u32,
    /// The element ends the line when it closes.
    breaks: bool,
    /// Children stand side by side: a tab between them.
    side_by_side: bool,
    /// Text goes to the far end of the line.
    at_end: bool,
    link: Option<String>,
}

#[derive(Default)]
struct Draft {
    text: String,
    /// What floats to the far end of the line, such as dates beside a title.
    end: String,
    bold: usize,
    letters: usize,
    /// Letters outside of `end`.
    titled: usize,
    size: u16,
    heading: u8,
    bullet: bool,
    icon: bool,
    block: u32,
    links: Vec<String>,
}

pub(super) struct Walk {
    out: Collector,
    limits: Limits,
    frames: Vec<Frame>,
    draft: Draft,
    head: Head,
    sheet: Sheet,
    blocks: u32,
    space_above: u16,
}

impl Walk {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            out: Collector::new(limits),
            limits: limits.clone(),
            frames: Vec::new(),
            draft: Draft::default(),
            head: Head::default(),
            sheet: Sheet::default(),
            blocks: 0,
            space_above: 0,
        }
    }

    pub(super) fn step(&mut self, edge: Edge<'_, Node>) -> Result<(), ExtractError> {
        match edge {
            Edge::Open(node) => match node.value() {
                Node::Element(element) => self.open(node, element),
                Node::Text(text) => self.text(text),
                Node::Document | Node::Fragment | Node::Doctype(_) => Ok(()),
                Node::Comment(_) | Node::ProcessingInstruction(_) => Ok(()),
            },
            Edge::Close(node) => match node.value().as_element() {
                Some(element) => self.close(element.name()),
                None => Ok(()),
            },
        }
    }

    pub(super) fn finish(mut self) -> Result<(Collector, Head), ExtractError> {
        self.flush()?;
        Ok((self.out, self.head))
    }

    fn open(&mut self, node: NodeRef<'_, Node>, element: &Element) -> Result<(), ExtractError> {
        // The html and body elements and the document itself are no nesting of the author's.
        if self.frames.len() > self.limits.nesting as usize + 2 {
            return Err(ExtractError::limit("nested elements"));
        }
        let tag = element.name();
        self.read_head(node, element);
        let mut frame = self.frames.last().cloned().unwrap_or_else(Frame::page);
        frame.link = None;
        frame.skipped |= SKIPPED.contains(&tag) || is_icon_font(element);
        frame.breaks = BLOCKS.contains(&tag) && !frame.row;
        let beside = std::mem::take(&mut frame.side_by_side);
        self.style(&mut frame, element);
        frame.at_end &= !frame.breaks;
        if beside && !frame.breaks && !frame.skipped {
            self.draft.text.push('\t');
        }
        if frame.skipped || frame.hidden.is_some() {
            self.draft.icon |= tag == "svg" && self.draft.text.trim().is_empty();
            self.frames.push(frame);
            return Ok(());
        }
        self.shape(&mut frame, node, element)?;
        self.frames.push(frame);
        Ok(())
    }

    /// Line breaks, lists, tables, regions and links.
    fn shape(
        &mut self,
        frame: &mut Frame,
        node: NodeRef<'_, Node>,
        element: &Element,
    ) -> Result<(), ExtractError> {
        let tag = element.name();
        if frame.breaks || tag == "br" && !frame.row {
            self.flush()?;
        }
        if SPACED.contains(&tag) {
            self.space_above = PARAGRAPH_SPACE;
        }
        if REGIONS.contains(&tag) {
            frame.block = self.next_block();
        }
        match tag {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                frame.heading = tag.trim_start_matches('h').parse().unwrap_or(0);
            }
            "li" => self.draft.bullet = !frame.row,
            "pre" => frame.pre = true,
            "tr" => frame.row |= !has_rich_cell(node),
            "td" | "th" if frame.row => self.draft.text.push('\t'),
            "td" | "th" => frame.block = self.next_block(),
            "br" | "p" | "div" | "img" => self.draft.text.push(' '),
            "i" | "span" if is_icon(element) => self.draft.icon |= self.draft.text.trim().is_empty(),
            "a" => frame.link = element.attr("href").map(str::to_owned),
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self, tag: &str) -> Result<(), ExtractError> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        if frame.skipped || frame.hidden.is_some() {
            return Ok(());
        }
        // A link without text of its own (an icon) still belongs to the line it stands in.
        self.draft.links.extend(frame.link);
        if frame.breaks {
            self.flush()?;
        }
        // An empty list item gives its bullet to nobody.
        self.draft.bullet &= tag != "li";
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), ExtractError> {
        let Some(frame) = self.frames.last() else { return Ok(()) };
        if frame.skipped {
            return Ok(());
        }
        let letters = text.chars().filter(|c| !c.is_whitespace()).count();
        if let Some(kind) = frame.hidden {
            self.out.hide(kind, 1, letters as u64);
            return Ok(());
        }
        let (bold, size, heading, block) =
            (frame.bold, (frame.size * 10.0) as u16, frame.heading, frame.block);
        let (pre, at_end) = (frame.pre, frame.at_end);
        for (index, part) in text.split('\n').enumerate() {
            if index > 0 && pre {
                self.flush()?;
            } else if index > 0 {
                self.draft.text.push(' ');
            }
            let letters = part.chars().filter(|c| !c.is_whitespace()).count();
            let draft = &mut self.draft;
            let text = if at_end { &mut draft.end } else { &mut draft.text };
            // Tabs are white space in HTML; in lines they separate cells.
            text.extend(part.chars().map(|c| if c == '\t' { ' ' } else { c }));
            draft.letters += letters;
            // What floats to the line's end does not make its title less bold.
            draft.titled += if at_end { 0 } else { letters };
            draft.bold += if bold && !at_end { letters } else { 0 };
            if letters > 0 {
                draft.size = draft.size.max(size);
                draft.heading = draft.heading.max(heading);
                draft.block = block;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ExtractError> {
        let mut draft = std::mem::take(&mut self.draft);
        if !draft.end.trim().is_empty() {
            draft.text.push('\t');
            draft.text.push_str(&draft.end);
        }
        if draft.letters == 0 {
            self.draft.bullet = draft.bullet && draft.links.is_empty();
            self.draft.icon = draft.icon && draft.links.is_empty();
            for uri in &draft.links {
                self.out.link(uri, None);
            }
            return Ok(());
        }
        let line = Line {
            text: draft.text,
            page: 1,
            block: draft.block,
            size: draft.size,
            bold: draft.bold * 2 > draft.titled,
            bullet: draft.bullet,
            heading: draft.heading,
            space_above: std::mem::take(&mut self.space_above),
            icon_before: draft.icon,
            rtl: false,
        };
        let at = self.out.push(line)?;
        for uri in &draft.links {
            self.out.link(uri, at);
        }
        Ok(())
    }

    fn next_block(&mut self) -> u32 {
        self.blocks += 1;
        self.blocks
    }

    fn read_head(&mut self, node: NodeRef<'_, Node>, element: &Element) {
        let text = || -> String {
            node.children().filter_map(|child| child.value().as_text().map(|t| &**t)).collect()
        };
        match element.name() {
            "style" => self.sheet.add(&text()),
            "title" if self.head.title.is_none() => {
                let title = text().split_whitespace().collect::<Vec<_>>().join(" ");
                self.head.title = Some(title).filter(|title| !title.is_empty());
            }
            "script"
                if element
                    .attr("type")
                    .is_some_and(|t| t.trim().eq_ignore_ascii_case("application/ld+json")) =>
            {
                self.head.json_ld.push(text());
            }
            _ => {}
        }
    }

    fn style(&self, frame: &mut Frame, element: &Element) {
        let tag = element.name();
        match tag {
            "b" | "strong" | "th" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => frame.bold = true,
            _ => {}
        }
        frame.size *= match tag {
            "h1" => 2.0,
            "h2" => 1.5,
            "h3" => 1.17,
            "h5" | "small" => 0.83,
            "h6" => 0.67,
            _ => 1.0,
        };
        let mut declared =
            self.sheet.declared(tag, element.classes(), element.attr("id").unwrap_or_default());
        if let Some(inline) = element.attr("style") {
            declared.merge(&Declared::read(inline));
        }
        frame.apply(&declared);
        if element.attr("hidden").is_some() || element.classes().any(is_hiding_class) {
            frame.hidden = Some(FindingKind::HiddenText);
        }
    }
}

impl Frame {
    fn page() -> Self {
        Self {
            skipped: false,
            hidden: None,
            bold: false,
            size: BASE_SIZE,
            color: Paint::Solid([0; 3]),
            background: Paint::Solid([255; 3]),
            heading: 0,
            pre: false,
            row: false,
            block: 0,
            breaks: false,
            side_by_side: false,
            at_end: false,
            link: None,
        }
    }

    fn apply(&mut self, declared: &Declared) {
        self.side_by_side = declared.side_by_side;
        self.at_end |= declared.float_end;
        self.size = match declared.size {
            Some(Size::Points(points)) => points,
            Some(Size::Relative(times)) => self.size * times,
            None => self.size,
        }
        .clamp(0.0, 1_000.0);
        self.bold = declared.bold.unwrap_or(self.bold);
        self.color = declared.color.unwrap_or(self.color);
        match declared.background {
            Some(Paint::Transparent) | None => {}
            Some(paint) => self.background = paint,
        }
        let hidden = declared.display_none == Some(true)
            || declared.invisible == Some(true)
            || self.size < 0.1
            || same_color(self.color, self.background);
        let kind = if hidden {
            Some(FindingKind::HiddenText)
        } else if declared.off_page {
            Some(FindingKind::OffPageText)
        } else {
            (self.size < TINY_POINTS).then_some(FindingKind::TinyText)
        };
        self.hidden = self.hidden.or(kind);
    }
}

fn same_color(color: Paint, background: Paint) -> bool {
    match (color, background) {
        (Paint::Transparent, _) => true,
        (Paint::Solid(a), Paint::Solid(b)) => a.iter().zip(b).all(|(a, b)| a.abs_diff(b) < SAME_COLOR),
        (Paint::Unknown, _) | (_, Paint::Unknown | Paint::Transparent) => false,
    }
}

fn is_hiding_class(class: &str) -> bool {
    matches!(class, "sr-only" | "visually-hidden" | "screen-reader-text" | "screen-reader-only")
}

fn is_icon(element: &Element) -> bool {
    element.classes().any(|class| {
        matches!(class, "fa" | "fas" | "far" | "fab" | "bi" | "icon" | "glyphicon")
            || ["fa-", "bi-", "icon-", "glyphicon-"].iter().any(|start| class.starts_with(start))
    })
}

/// Fonts that turn a word into an icon: the word is never seen.
fn is_icon_font(element: &Element) -> bool {
    element
        .classes()
        .any(|class| class.starts_with("material-icons") || class.starts_with("material-symbols"))
}

/// Whether a cell of the row holds more than one line: then the table is there for the layout.
fn has_rich_cell(row: NodeRef<'_, Node>) -> bool {
    let is_block = |node: &NodeRef<'_, Node>| {
        node.value().as_element().is_some_and(|e| e.name() == "br" || BLOCKS.contains(&e.name()))
    };
    row.children().any(|cell| cell.descendants().skip(1).filter(is_block).nth(1).is_some())
}
