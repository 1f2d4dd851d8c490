//! What lies under the text: the filled areas of a page, as far as they can be known without rendering.

use pdfboss_core::content::{ContentOps, Op};
use pdfboss_core::{Dict, Document, Matrix, Object, Page, Rect};

use super::source::Area;

/// Forms inside forms.
const MAX_FORM_DEPTH: usize = 8;
/// Operators looked at on one page, forms included.
const MAX_OPS: usize = 400_000;
/// Fills kept of one page.
const MAX_FILLS: usize = 4_000;
/// Open graphics states.
const MAX_STATES: usize = 64;
/// Smaller than this in either direction is a rule or a dot, and no ground for text.
const MIN_SIDE: f32 = 4.0;

/// Sides of a drawn bullet, in points.
const MIN_DOT: f32 = 1.0;
const MAX_DOT: f32 = 6.0;
/// How far before its line a bullet stands, in ems.
const DOT_REACH_EM: f32 = 2.2;

/// The color of a fill; `None` for patterns, gradients and pictures.
type Color = Option<[f32; 3]>;

/// The filled areas of a page in painting order.
#[derive(Debug, Default)]
pub(super) struct Ground {
    fills: Vec<(Area, Color)>,
    /// Centers of small round or square fills: bullets that are drawn instead of written.
    dots: Vec<(f32, f32)>,
    /// A gradient fills whatever the clip leaves: no ground is sure.
    unsure: bool,
}

/// What text at a point lies on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Under {
    Color([f32; 3]),
    Unknown,
}

impl Ground {
    /// The last fill around a point; paper is white.
    pub(super) fn under(&self, x: f32, y: f32) -> Under {
        if self.unsure {
            return Under::Unknown;
        }
        match self.fills.iter().rev().find(|(area, _)| area.contains(x, y)) {
            Some((_, Some(color))) => Under::Color(*color),
            Some((_, None)) => Under::Unknown,
            None => Under::Color([1.0; 3]),
        }
    }

    /// Whether exactly one dot stands before a line; several are a rating. `size` is the line's in points.
    pub(super) fn dotted(&self, line: &Area, size: f32, rtl: bool) -> bool {
        let reach = DOT_REACH_EM * size;
        let (from, to) = if rtl { (line.x1, line.x1 + reach) } else { (line.x0 - reach, line.x0) };
        let before = |(x, y): &&(f32, f32)| *x > from && *x < to && *y > line.y0 && *y < line.y1;
        self.dots.iter().filter(before).take(2).count() == 1
    }

    /// Interprets paths, colors and forms of a page's content; everything else is passed over.
    pub(super) fn read(document: &Document, page: &Page) -> Self {
        let mut painter = Painter { document, ground: Ground::default(), ops: 0 };
        if let Ok(content) = page.content(document) {
            painter.run(&content, &page.resources, State::default(), 0);
        }
        painter.ground
    }
}

#[derive(Clone, Copy)]
struct State {
    matrix: Matrix,
    color: Color,
}

impl Default for State {
    fn default() -> Self {
        Self { matrix: Matrix::identity(), color: Some([0.0; 3]) }
    }
}

struct Painter<'d> {
    document: &'d Document,
    ground: Ground,
    ops: usize,
}

impl Painter<'_> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "of some seventy operators only those that fill matter"
    )]
    fn run(&mut self, content: &[u8], resources: &Dict, start: State, depth: usize) {
        let mut state = start;
        let mut saved = Vec::new();
        let mut path: Option<Rect> = None;
        let mut ops = ContentOps::new(content);
        while let Ok(Some((op, _))) = ops.next_op() {
            self.ops += 1;
            if self.ops > MAX_OPS {
                return;
            }
            match op {
                Op::Save if saved.len() < MAX_STATES => saved.push(state),
                Op::Restore => state = saved.pop().unwrap_or(start),
                Op::Concat(matrix) => state.matrix = matrix.concat(state.matrix),
                Op::SetFillGray(gray) => state.color = Some([gray; 3]),
                Op::SetFillRGB(r, g, b) => state.color = Some([r, g, b]),
                Op::SetFillCMYK(c, m, y, k) => state.color = Some(from_cmyk(c, m, y, k)),
                Op::SetFillColorSpace(_) => state.color = Some([0.0; 3]),
                Op::SetFillColor(parts) => state.color = from_components(&parts),
                Op::SetFillColorN(parts, pattern) => {
                    state.color = if pattern.is_some() { None } else { from_components(&parts) };
                }
                Op::Rect(x, y, w, h) => extend(&mut path, &[(x, y), (x + w, y + h)]),
                Op::MoveTo(x, y) | Op::LineTo(x, y) => extend(&mut path, &[(x, y)]),
                Op::CurveTo(.., x, y) | Op::CurveToV(.., x, y) | Op::CurveToY(.., x, y) => {
                    extend(&mut path, &[(x, y)]);
                }
                Op::Fill | Op::FillEvenOdd | Op::FillStroke | Op::FillStrokeEvenOdd => {
                    self.fill(&mut path, state)
                }
                Op::CloseFillStroke | Op::CloseFillStrokeEvenOdd => self.fill(&mut path, state),
                Op::Stroke | Op::CloseStroke | Op::EndPath => path = None,
                Op::Shading(_) => self.ground.unsure = true,
                Op::XObject(name) => self.form(&name.0, resources, state, depth),
                _ => {}
            }
        }
    }

    fn fill(&mut self, path: &mut Option<Rect>, state: State) {
        let Some(rect) = path.take() else { return };
        let rect = rect.transform(state.matrix).normalize();
        let (width, height) = (rect.width(), rect.height());
        let is_dot = (MIN_DOT..=MAX_DOT).contains(&width) && (width - height).abs() <= 0.25 * width;
        if is_dot && self.ground.dots.len() < MAX_FILLS {
            self.ground.dots.push((rect.x0 + width / 2.0, rect.y0 + height / 2.0));
        }
        if width >= MIN_SIDE && height >= MIN_SIDE && self.ground.fills.len() < MAX_FILLS {
            let area = Area { x0: rect.x0, y0: rect.y0, x1: rect.x1, y1: rect.y1 };
            self.ground.fills.push((area, state.color));
        }
    }

    fn form(&mut self, name: &str, resources: &Dict, state: State, depth: usize) {
        let Some(stream) = self.x_object(name, resources) else { return };
        let Object::Stream(form) = stream else { return };
        let image = form.dict.get_name("Subtype").is_some_and(|subtype| subtype.0 == "Image");
        if image {
            // A picture fills the unit square of the current matrix.
            self.fill(&mut Some(Rect::new(0.0, 0.0, 1.0, 1.0)), State { color: None, ..state });
            return;
        }
        if depth >= MAX_FORM_DEPTH {
            return;
        }
        let Ok(content) = self.document.stream_data(&form) else { return };
        let own = form.dict.get("Resources").and_then(|o| self.document.resolve(o).ok());
        let own = own.as_ref().and_then(Object::as_dict);
        let matrix = form.dict.get_array("Matrix").and_then(matrix_of).unwrap_or(Matrix::identity());
        let state = State { matrix: matrix.concat(state.matrix), ..state };
        self.run(&content, own.unwrap_or(resources), state, depth + 1);
    }

    fn x_object(&self, name: &str, resources: &Dict) -> Option<Object> {
        let objects = self.document.resolve(resources.get("XObject")?).ok()?;
        self.document.resolve(objects.as_dict()?.get(name)?).ok()
    }
}

fn extend(path: &mut Option<Rect>, points: &[(f32, f32)]) {
    for &(x, y) in points {
        let point = Rect::new(x, y, x, y);
        *path = Some(path.map_or(point, |known| known.union(point)));
    }
}

fn matrix_of(parts: &[Object]) -> Option<Matrix> {
    let values: Vec<f32> = parts.iter().filter_map(|part| part.as_f64().map(|v| v as f32)).collect();
    match *values.as_slice() {
        [a, b, c, d, e, f] => Some(Matrix { a, b, c, d, e, f }),
        _ => None,
    }
}

fn from_components(parts: &[f32]) -> Color {
    match *parts {
        [gray] => Some([gray; 3]),
        [r, g, b] => Some([r, g, b]),
        [c, m, y, k] => Some(from_cmyk(c, m, y, k)),
        _ => None,
    }
}

fn from_cmyk(c: f32, m: f32, y: f32, k: f32) -> [f32; 3] {
    [c, m, y].map(|ink| (1.0 - ink.min(1.0)) * (1.0 - k.min(1.0)))
}
