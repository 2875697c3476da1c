//! Text from outside (names, messages, paths) made harmless for a terminal and for Markdown.

pub use crate::text::is_acted_on;

/// Characters of a name or message that are shown: more of them say nothing to anybody.
const LONGEST: usize = 4_000;

/// `text` on one line, without anything that a terminal would act on: control characters and characters that
/// change the direction of writing show as escapes, line breaks as spaces. What leaves nothing to see shows by its code point:
/// characters without a shape, and a text that is blank altogether. Of a long text the beginning is shown, and how much
/// more there is.
#[must_use]
pub fn plain(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => {
            let left_out = text[end..].chars().count();
            format!("{}… ({left_out} more characters)", plain_whole(&text[..end]))
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
            c if is_acted_on(c) || is_unseen(c) && !belongs_to(c, before) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
        before = Some(character);
    }
    out
}

/// Whether a character has no shape: those that Unicode has ignored where they cannot be shown, blanks other than the usual
/// ones.
fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    ) || c.is_whitespace() && !matches!(c, ' ' | '\n' | '\r' | '\t' | '\u{3000}')
}

/// Whether a character without a shape shapes the one before it, as in scripts that join letters and in composed symbols.
fn belongs_to(c: char, before: Option<char>) -> bool {
    let joins = matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}');
    joins && before.is_some_and(|before| !before.is_ascii() && !is_unseen(before))
}

/// `text` with everything escaped that Markdown (CommonMark with tables) would act on within a line.
#[must_use]
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '#') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// `text` as a code span of Markdown, outside of tables.
#[must_use]
pub fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// `text` cut to at most `limit` characters, with an ellipsis where something was cut.
#[must_use]
pub fn shortened(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let kept: String = text.chars().take(limit.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_shown_not_sent() {
        assert_eq!(plain("a\u{1b}[31mred\u{202e}\nb"), "a\\u{1b}[31mred\\u{202e} b");
    }

    #[test]
    fn blank_and_invisible_names_show_by_their_code_points() {
        for (name, shown) in [
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
        for name in
            ["\u{645}\u{6cc}\u{200c}\u{62e}", "\u{1f468}\u{200d}\u{1f469}", "\u{2764}\u{fe0f}", "\u{5927} \u{962a}"]
        {
            assert_eq!(plain(name), name);
        }
    }

    #[test]
    fn a_text_without_end_is_shown_by_its_beginning() {
        assert_eq!(plain(&"é".repeat(LONGEST)), "é".repeat(LONGEST));
        let shown = plain(&"\u{1b}".repeat(10_000_000));
        assert!(shown.ends_with("\\u{1b}… (9996000 more characters)") && shown.len() < 10 * LONGEST, "{}", shown.len());
        assert_eq!(plain_whole(&"é".repeat(LONGEST + 1)), "é".repeat(LONGEST + 1));
    }

    #[test]
    fn markdown_in_a_name_stays_text() {
        assert_eq!(markdown("a|b_*[x](y)<i>"), "a\\|b\\_\\*\\[x\\](y)\\<i\\>");
    }

    #[test]
    fn code_spans_hold_backticks_and_pipes() {
        assert_eq!(code("a`b|c"), "``a`b|c``");
        assert_eq!(code("`"), "`` ` ``");
    }

    #[test]
    fn long_text_is_cut_with_an_ellipsis() {
        assert_eq!(shortened("abcdef", 4), "abc…");
        assert_eq!(shortened("abcd", 4), "abcd");
    }
}
