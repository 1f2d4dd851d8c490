//! Marks inside a line of Markdown: emphasis, links, code, tags.

/// Characters looked at for the end of a label, a target or a tag; more is text. Keeps hostile lines linear.
const MAX_MARK_CHARS: usize = 2_048;
/// Links inside link labels (a picture that is a link) nest at most this deep.
const MAX_LABEL_DEPTH: u8 = 3;

/// One line without its marks.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Inline {
    pub text: String,
    /// The whole line is strong.
    pub bold: bool,
    pub links: Vec<String>,
    /// Letters and digits in comments.
    pub hidden: u64,
}

impl Inline {
    pub(super) fn verbatim(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    pub(super) fn read(row: &str) -> Self {
        Self::read_nested(row, 0)
    }

    fn read_nested(row: &str, depth: u8) -> Self {
        let row = row.trim();
        let bold = ["**", "__"].iter().any(|mark| {
            let inner = row.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark));
            inner.is_some_and(|inner| !inner.is_empty() && !inner.contains(mark))
        });
        let mut out = Self { bold, ..Self::default() };
        let mut rest = row;
        let mut code = false;
        while let Some(c) = rest.chars().next() {
            let after = rest.get(c.len_utf8()..).unwrap_or_default();
            rest = match c {
                '`' => {
                    code = !code;
                    after.trim_start_matches('`')
                }
                _ if code => out.keep(c, after),
                '\\' if after.starts_with(|next: char| next.is_ascii_punctuation()) => {
                    let next = after.chars().next().unwrap_or(c);
                    out.keep(next, after.get(next.len_utf8()..).unwrap_or_default())
                }
                '*' | '_' | '~' => out.emphasis(c, after),
                '!' if after.starts_with('[') => after_link(after).map_or(after, |(_, _, rest)| rest),
                '[' => out.link(rest, after, depth),
                '<' => out.tag(after),
                '&' => out.entity(after),
                _ => out.keep(c, after),
            };
        }
        out
    }

    fn keep<'a>(&mut self, c: char, after: &'a str) -> &'a str {
        self.text.push(c);
        after
    }

    /// `_` inside a word and a lone `*` or `~` between spaces are text.
    fn emphasis<'a>(&mut self, mark: char, after: &'a str) -> &'a str {
        let rest = after.trim_start_matches(mark);
        let run = after.len() - rest.len() + 1;
        let before = self.text.chars().next_back();
        let inside = mark == '_'
            && before.is_some_and(char::is_alphanumeric)
            && rest.starts_with(|c: char| c.is_alphanumeric());
        let alone = before.is_none_or(char::is_whitespace) && rest.starts_with(char::is_whitespace);
        if inside || alone || mark == '~' && run == 1 {
            self.text.extend(std::iter::repeat_n(mark, run));
        }
        rest
    }

    fn link<'a>(&mut self, whole: &'a str, after: &'a str, depth: u8) -> &'a str {
        if depth >= MAX_LABEL_DEPTH {
            return self.keep('[', after);
        }
        let Some((label, target, rest)) = after_link(whole) else { return self.keep('[', after) };
        let label = Inline::read_nested(label, depth + 1);
        self.text.push_str(&label.text);
        self.links.extend(label.links);
        self.links
            .extend(target.split_whitespace().next().map(|uri| uri.trim_matches(['<', '>']).to_owned()));
        rest
    }

    fn tag<'a>(&mut self, after: &'a str) -> &'a str {
        if let Some(comment) = after.strip_prefix("!--") {
            let (body, rest) = comment.split_once("-->").unwrap_or((comment, ""));
            self.hidden += body.chars().filter(|c| c.is_alphanumeric()).count() as u64;
            return rest;
        }
        let Some((body, rest)) = split_near(after, '>') else {
            return self.keep('<', after);
        };
        if body.contains("://") || body.contains('@') && !body.contains(' ') {
            self.text.push_str(body);
            self.links.push(if body.contains("://") { body.to_owned() } else { format!("mailto:{body}") });
            rest
        } else if body.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') {
            if body.trim_end_matches('/').trim().eq_ignore_ascii_case("br") {
                self.text.push('\n');
            }
            rest
        } else {
            self.keep('<', after)
        }
    }

    fn entity<'a>(&mut self, after: &'a str) -> &'a str {
        const NAMED: [(&str, char); 7] = [
            ("amp;", '&'),
            ("lt;", '<'),
            ("gt;", '>'),
            ("quot;", '"'),
            ("#39;", '\''),
            ("nbsp;", ' '),
            ("bull;", '•'),
        ];
        for (name, c) in NAMED {
            if let Some(rest) = after.strip_prefix(name) {
                return self.keep(c, rest);
            }
        }
        self.keep('&', after)
    }
}

/// `[label](target)` at the start of `text`: label, target and what follows.
fn after_link(text: &str) -> Option<(&str, &str, &str)> {
    let inner = text.strip_prefix('[')?;
    let mut depth = 0_u32;
    let close = inner.char_indices().take(MAX_MARK_CHARS).find_map(|(at, c)| {
        match c {
            '[' => depth += 1,
            ']' if depth == 0 => return Some(at),
            ']' => depth -= 1,
            _ => {}
        }
        None
    })?;
    let label = inner.get(..close)?;
    let (target, rest) = split_near(inner.get(close + 1..)?.strip_prefix('(')?, ')')?;
    Some((label, target, rest))
}

/// `split_once` that gives up after [`MAX_MARK_CHARS`].
fn split_near(text: &str, end: char) -> Option<(&str, &str)> {
    let (at, _) = text.char_indices().take(MAX_MARK_CHARS).find(|(_, c)| *c == end)?;
    Some((text.get(..at)?, text.get(at + end.len_utf8()..)?))
}
