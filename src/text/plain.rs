//! Text from outside, which shows itself harmless.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::is_acted_on;

/// Characters of a text that are shown: more of them say nothing to anybody.
const LONGEST: usize = 4_000;

/// Text that may come from outside: names of tensors, models, operators and paths, messages of
/// libraries and drivers, contents of files and of records, and sentences that hold any of them.
///
/// Shown ([`Display`](fmt::Display)) it is as [`plain`] has it. The text as it came is asked for by
/// [`Plain::exact`]: to look something up, to open a file, to put it into a sentence that is
/// `Plain` itself, and for formats that machines read, which its serialization is as well. It does
/// not turn into a `&str` or a `String` unasked: no `Deref`, no `AsRef`, no `Borrow` (by which
/// `join` would show it as it came).
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Plain(String);

impl Plain {
    /// The text as it came.
    #[must_use]
    pub fn exact(&self) -> &str {
        &self.0
    }

    /// The text as it came, to keep.
    #[must_use]
    pub fn into_exact(self) -> String {
        self.0
    }

    /// Whether there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `part` is in the text as it came.
    #[must_use]
    pub fn contains(&self, part: &str) -> bool {
        self.0.contains(part)
    }

    /// Whether the text begins with `part` as it came.
    #[must_use]
    pub fn starts_with(&self, part: &str) -> bool {
        self.0.starts_with(part)
    }

    /// Whether the text ends with `part` as it came.
    #[must_use]
    pub fn ends_with(&self, part: &str) -> bool {
        self.0.ends_with(part)
    }

    /// `texts` as one, with `between` between them.
    #[must_use]
    pub fn joined<'a>(texts: impl IntoIterator<Item = &'a Plain>, between: &str) -> Plain {
        let texts: Vec<&str> = texts.into_iter().map(Plain::exact).collect();
        Plain(texts.join(between))
    }
}

/// That of a string, which it is written as.
impl JsonSchema for Plain {
    fn inline_schema() -> bool {
        String::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        String::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        String::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&plain(&self.0))
    }
}

/// As a string's: what a terminal would act on stands as escapes.
impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl From<String> for Plain {
    fn from(text: String) -> Self {
        Plain(text)
    }
}

impl From<&str> for Plain {
    fn from(text: &str) -> Self {
        Plain(text.to_owned())
    }
}

impl From<&Plain> for Plain {
    fn from(text: &Plain) -> Self {
        text.clone()
    }
}

impl From<&Path> for Plain {
    fn from(path: &Path) -> Self {
        Plain(path.display().to_string())
    }
}

/// A text that is shown.
pub trait Shown {
    /// It, as it came.
    fn text(&self) -> &str;
}

impl<T: AsRef<str> + ?Sized> Shown for T {
    fn text(&self) -> &str {
        self.as_ref()
    }
}

impl Shown for Plain {
    fn text(&self) -> &str {
        self.exact()
    }
}

impl Shown for &Plain {
    fn text(&self) -> &str {
        self.exact()
    }
}

impl PartialEq<str> for Plain {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Plain {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl PartialEq<String> for Plain {
    fn eq(&self, other: &String) -> bool {
        self.0 == *other
    }
}

/// `text` on one line, without anything that a terminal would act on: control characters and
/// characters that change the direction of writing show as escapes, line breaks as spaces. What
/// leaves nothing to see shows by its code point: characters without a shape, and a text that is
/// blank altogether. Of a long text the beginning is shown, and how much more there is.
#[must_use]
pub fn plain<T: Shown + ?Sized>(text: &T) -> String {
    let text = text.text();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => {
            let left_out = text[end..].chars().count();
            format!(
                "{}… ({left_out} more characters)",
                plain_whole(&text[..end])
            )
        }
        None => plain_whole(text),
    }
}

/// All of `text` on one line, as [`plain`] otherwise.
#[must_use]
pub fn plain_whole(text: &str) -> String {
    if text.chars().all(|c| c.is_whitespace() || is_unseen(c)) {
        return text.chars().flat_map(char::escape_unicode).collect();
    }
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    for character in text.trim().chars() {
        match character {
            '\n' | '\r' | '\t' => out.push(' '),
            c if is_acted_on(c) || is_unseen(c) && !belongs_to(c, before) => {
                out.extend(c.escape_unicode())
            }
            c => out.push(c),
        }
        before = Some(character);
    }
    out
}

/// Whether Unicode has a character ignored where it cannot be shown, or it is a blank other than
/// the usual ones.
fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    ) || c.is_whitespace() && !matches!(c, ' ' | '\n' | '\r' | '\t' | '\u{3000}')
}

/// Whether a character without a shape shapes the one before it, as in scripts that join letters
/// and in composed symbols.
fn belongs_to(c: char, before: Option<char>) -> bool {
    let joins = matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}');
    joins && before.is_some_and(|before| !before.is_ascii() && !is_unseen(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_shown_harmless_and_kept_as_it_came() {
        let name = Plain::from("a\u{1b}[31m\u{202e}");
        assert_eq!(
            format!("{name}|{name:>21}"),
            "a\\u{1b}[31m\\u{202e}|  a\\u{1b}[31m\\u{202e}"
        );
        assert!(!format!("{name:?}").contains(is_acted_on));
        let written = serde_json::to_string(&name).unwrap();
        assert_eq!(
            serde_json::from_str::<String>(&written).unwrap(),
            name.exact()
        );
        assert_eq!(serde_json::from_str::<Plain>(&written).unwrap(), name);
    }

    #[test]
    fn the_schema_is_that_of_a_string() {
        assert_eq!(
            schemars::schema_for!(Vec<Plain>),
            schemars::schema_for!(Vec<String>)
        );
        assert_eq!(
            schemars::schema_for!(Result<u64, Plain>),
            schemars::schema_for!(Result<u64, String>)
        );
    }

    #[test]
    fn escape_sequences_and_what_cannot_be_seen_show_by_their_code_points() {
        for (name, shown) in [
            ("a\u{1b}[31mred\u{202e}\nb", "a\\u{1b}[31mred\\u{202e} b"),
            ("", ""),
            (" ", "\\u{20}"),
            ("\u{a0}\u{3000}", "\\u{a0}\\u{3000}"),
            ("\u{200b}", "\\u{200b}"),
            (" \u{2060}\t", "\\u{20}\\u{2060}\\u{9}"),
            ("\u{3164}", "\\u{3164}"),
            ("\u{2800}", "\\u{2800}"),
            ("fp\u{200b}32", "fp\\u{200b}32"),
            ("fp32\u{feff}", "fp32\\u{feff}"),
            ("fp\u{a0}32", "fp\\u{a0}32"),
            ("a\u{200d}b", "a\\u{200d}b"),
            ("\u{e0041}x", "\\u{e0041}x"),
        ] {
            assert_eq!(plain(name), shown, "{name:?}");
        }
    }

    #[test]
    fn letters_and_symbols_that_are_joined_stay_joined() {
        for name in [
            "\u{645}\u{6cc}\u{200c}\u{62e}",
            "\u{1f468}\u{200d}\u{1f469}",
            "\u{2764}\u{fe0f}",
            "\u{5927} \u{962a}",
        ] {
            assert_eq!(plain(name), name);
        }
    }

    #[test]
    fn a_text_without_end_is_shown_by_its_beginning() {
        assert_eq!(plain(&"é".repeat(LONGEST)), "é".repeat(LONGEST));
        let shown = plain(&"\u{1b}".repeat(10_000_000));
        assert!(
            shown.ends_with("\\u{1b}… (9996000 more characters)") && shown.len() < 10 * LONGEST,
            "{}",
            shown.len()
        );
        assert_eq!(
            plain_whole(&"é".repeat(LONGEST + 1)),
            "é".repeat(LONGEST + 1)
        );
    }
}
