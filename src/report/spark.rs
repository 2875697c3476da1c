//! Distributions as one line of characters each, and ASCII in place of signs that some terminals cannot show.

use super::Glyphs;
use super::view::{Distributions, HIGHEST, text};

/// From nothing to the column that holds most.
const BLOCKS: [char; HIGHEST as usize + 1] =
    [' ', '\u{2581}', '\u{2582}', '\u{2583}', '\u{2584}', '\u{2585}', '\u{2586}', '\u{2587}', '\u{2588}'];

/// The same in ASCII.
const ASCII: [char; HIGHEST as usize + 1] = [' ', '.', ':', '-', '=', '+', '*', '#', '@'];

/// Characters that a name keeps.
const NAME_WIDTH: usize = 28;

/// A line for each distribution: its name, its columns, what else is said of it.
pub(super) fn lines(distributions: &Distributions, glyphs: Glyphs) -> Vec<String> {
    let set = match glyphs {
        Glyphs::Unicode => BLOCKS,
        Glyphs::Ascii => ASCII,
    };
    let names = distributions.rows.iter().map(|row| text::shortened(&row.name, NAME_WIDTH));
    let names: Vec<String> = names.collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let row = |(row, name): (&super::view::Distribution, &String)| {
        let columns: String = row.heights.iter().map(|&height| set[usize::from(height.min(HIGHEST))]).collect();
        let pad = " ".repeat(width - name.chars().count());
        format!("  {name}{pad}  |{columns}|  {}", row.remark)
    };
    distributions.rows.iter().zip(&names).map(row).collect()
}

/// `text` with the signs that this program writes in ASCII of the same width.
pub(super) fn ascii(text: &str) -> String {
    let text = text.replace("\u{b1} ", "+-");
    let sign = |c: char| match c {
        '\u{b1}' => '~',
        '\u{b5}' => 'u',
        '\u{2500}' => '-',
        '\u{2026}' => '~',
        '\u{b0}' => ' ',
        other => other,
    };
    text.chars().map(sign).collect()
}

#[cfg(test)]
mod tests {
    use super::super::view::Distribution;
    use super::*;

    #[test]
    fn columns_are_drawn_by_their_height() {
        let row = |name: &str, heights: &[u8]| Distribution {
            name: name.into(),
            heights: heights.to_vec(),
            remark: "median 2 ms".into(),
        };
        let rows = vec![row("fp32", &[0, 1, 8]), row("int8-x", &[4, 0, 0])];
        let distributions = Distributions { title: "Latencies".into(), rows };
        let drawn = lines(&distributions, Glyphs::Unicode);
        assert_eq!(drawn, ["  fp32    | \u{2581}\u{2588}|  median 2 ms", "  int8-x  |\u{2584}  |  median 2 ms"]);
        assert_eq!(
            lines(&distributions, Glyphs::Ascii),
            ["  fp32    | .@|  median 2 ms", "  int8-x  |=  |  median 2 ms"]
        );
    }

    #[test]
    fn signs_have_ascii_of_the_same_width() {
        assert_eq!(ascii("2.1 \u{b5}s \u{b1} 1.4%  \u{2500}"), "2.1 us +-1.4%  -");
        assert_eq!(ascii("\u{b1}0.0 points"), "~0.0 points");
    }
}
