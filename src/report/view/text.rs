//! Text from outside (names, messages, paths) made harmless for a terminal and for Markdown.

pub use crate::record::is_acted_on;

/// `text` on one line, without anything that a terminal would act on: control characters and characters that
/// change the direction of writing show as escapes, line breaks as spaces.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.trim().chars() {
        match character {
            '\n' | '\r' | '\t' => out.push(' '),
            c if is_acted_on(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
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
