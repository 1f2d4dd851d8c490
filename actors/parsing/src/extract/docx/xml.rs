//! Reading XML within bounds: events with the path of open elements, and no entities but the predefined.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::super::ExtractError;

/// What a part is made of, with names without their prefix.
pub(super) enum Piece<'a> {
    /// An element begins; `Close` follows also for an empty one.
    Open(Tag<'a>),
    Close(String),
    Text(String),
}

/// An opened element.
pub(super) struct Tag<'a> {
    pub name: String,
    start: BytesStart<'a>,
}

impl Tag<'_> {
    /// The value of the attribute with this local name.
    pub(super) fn attr(&self, name: &str) -> Option<String> {
        self.start.attributes().with_checks(false).flatten().find_map(|attribute| {
            let local = attribute.key.local_name();
            let local: &str = local.as_ref();
            (local == name).then(|| {
                attribute
                    .normalized_value(XmlVersion::Implicit1_0)
                    .map_or_else(|_| attribute.value.to_string(), |value| value.into_owned())
            })
        })
    }

    /// `w:val`, the attribute that most properties have.
    pub(super) fn val(&self) -> Option<String> {
        self.attr("val")
    }

    /// An on/off property (ECMA-376 part 1, 17.17.4): present means on unless it says otherwise.
    pub(super) fn on(&self) -> bool {
        !matches!(self.val().as_deref(), Some("0" | "false" | "off" | "none"))
    }
}

/// Walks a part. Gives whether it was read to its end: broken XML ends the walk, what came before stays.
///
/// # Errors
/// `LimitExceeded` beyond `nesting` open elements, and whatever `visit` gives.
pub(super) fn walk<'a>(
    xml: &'a str,
    nesting: u32,
    mut visit: impl FnMut(Piece<'a>) -> Result<(), ExtractError>,
) -> Result<bool, ExtractError> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    let mut depth = 0_u32;
    loop {
        let Ok(event) = reader.read_event() else { return Ok(false) };
        match event {
            Event::Start(start) => {
                depth += 1;
                if depth > nesting {
                    return Err(ExtractError::limit("nested elements"));
                }
                visit(Piece::Open(tag(start)))?;
            }
            Event::Empty(start) => {
                let tag = tag(start);
                let name = tag.name.clone();
                visit(Piece::Open(tag))?;
                visit(Piece::Close(name))?;
            }
            Event::End(end) => {
                depth = depth.saturating_sub(1);
                visit(Piece::Close(local(end.local_name().as_ref())))?;
            }
            Event::Text(text) => visit(Piece::Text(text.xml10_content().into_owned()))?,
            Event::CData(text) => visit(Piece::Text(text.xml10_content().into_owned()))?,
            Event::GeneralRef(reference) => {
                let resolved = match reference.resolve_char_ref() {
                    Ok(Some(c)) => Some(c),
                    Ok(None) => predefined(&reference),
                    Err(_) => None,
                };
                if let Some(c) = resolved {
                    visit(Piece::Text(c.to_string()))?;
                }
            }
            Event::Eof => return Ok(depth == 0),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

fn tag(start: BytesStart<'_>) -> Tag<'_> {
    Tag { name: local(start.local_name().as_ref()), start }
}

fn local(name: &str) -> String {
    name.to_owned()
}

fn predefined(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}
