//! Distributions as one line of characters each, and ASCII in place of signs that some terminals
//! cannot show.

use super::style::{Glyphs, Style};
use crate::report::chapters::distribution::Distribution;
use crate::report::view::{Distributions, HIGHEST, text};

const BLOCKS: [char; HIGHEST as usize + 1] = [
    ' ', '\u{2581}', '\u{2582}', '\u{2583}', '\u{2584}', '\u{2585}', '\u{2586}', '\u{2587}',
    '\u{2588}',
];

const ASCII: [char; HIGHEST as usize + 1] = [' ', '.', ':', '-', '=', '+', '*', '#', '@'];

const NAME_WIDTH: usize = 28;

/// Of a line beside its name and its columns: blanks and the ends of the columns.
const FRAME: usize = 8;

/// Remarks have lines of their own where the width does not hold both; the ends of the axis come
/// last.
pub(super) fn lines(distributions: &Distributions, style: Style) -> Vec<String> {
    let rows = &distributions.rows;
    let columns = rows.iter().map(|row| row.heights.len()).max().unwrap_or(0);
    let names = names(rows, style.width.saturating_sub(columns + FRAME));
    let width = widest(names.iter().map(String::as_str));
    let remarks = widest(rows.iter().map(|row| row.remark.as_str()));
    let has_room = width + columns + FRAME + remarks <= style.width;
    let mut lines = Vec::new();
    for (row, name) in rows.iter().zip(&names) {
        let line = format!("  {name:width$}  |{}|", drawn(&row.heights, style.glyphs));
        if has_room {
            lines.push(format!("{line}  {}", row.remark));
        } else {
            lines.extend([line, format!("    {}", row.remark)]);
        }
    }
    let [low, high] = &distributions.ends;
    let before = width + FRAME - 3;
    let between = columns.saturating_sub(low.chars().count());
    lines.push(format!("{:before$}{low}{high:>between$}", ""));
    lines
}

fn names(rows: &[Distribution], room: usize) -> Vec<String> {
    let width = NAME_WIDTH.min(room).max(1);
    let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    text::distinct_names(&names, width)
}

/// In characters.
fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(|text| text.chars().count()).max().unwrap_or(0)
}

fn drawn(heights: &[u8], glyphs: Glyphs) -> String {
    let set = match glyphs {
        Glyphs::Unicode => BLOCKS,
        Glyphs::Ascii => ASCII,
    };
    heights
        .iter()
        .map(|&height| set[usize::from(height.min(HIGHEST))])
        .collect()
}

/// Of the same width.
pub(super) fn ascii(text: &str) -> String {
    text.replace("\u{b1} ", "+-")
        .replace("\u{2264} ", "<=")
        .replace("\u{2265} ", ">=")
        .chars()
        .map(|sign| match sign {
            '\u{b1}' | '\u{2026}' => '~',
            '\u{b5}' => 'u',
            '\u{2264}' => '<',
            '\u{2265}' => '>',
            '\u{2500}' => '-',
            '\u{b0}' => ' ',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::paper::style::Color;

    fn two() -> Distributions {
        let row = |name: &str, heights: [u8; 10]| Distribution {
            name: name.into(),
            heights: heights.to_vec(),
            remark: "median 2 ms".into(),
        };
        Distributions {
            title: "Latencies".into(),
            ends: ["1 ms".into(), "9 ms".into()],
            note: "taller: more".into(),
            rows: vec![
                row("fp32", [0, 1, 8, 0, 0, 0, 0, 0, 0, 0]),
                row("int8-x", [4, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            ],
        }
    }

    #[test]
    fn columns_are_drawn_by_their_height_over_the_ends_of_their_axis() {
        let style = |glyphs| Style {
            color: Color::Never,
            glyphs,
            width: Style::WIDTH,
        };
        assert_eq!(
            lines(&two(), style(Glyphs::Unicode)),
            [
                "  fp32    | \u{2581}\u{2588}       |  median 2 ms",
                "  int8-x  |\u{2584}         |  median 2 ms",
                "           1 ms  9 ms"
            ]
        );
        assert_eq!(
            lines(&two(), style(Glyphs::Ascii))[0],
            "  fp32    | .@       |  median 2 ms"
        );
    }

    #[test]
    fn remarks_have_lines_of_their_own_where_there_is_no_room() {
        let narrow = Style {
            color: Color::Never,
            glyphs: Glyphs::Ascii,
            width: 23,
        };
        let expected = [
            "  fp32   | .@       |",
            "    median 2 ms",
            "  int8~  |=         |",
        ];
        let drawn: Vec<String> = lines(&two(), narrow)
            .iter()
            .map(|line| ascii(line))
            .collect();
        assert_eq!(drawn[..3], expected);
        assert!(drawn.iter().all(|line| line.len() <= 23), "{drawn:?}");
    }

    #[test]
    fn signs_have_ascii_of_the_same_width() {
        assert_eq!(
            ascii("2.1 \u{b5}s \u{b1} 1.4%  \u{2500}"),
            "2.1 us +-1.4%  -"
        );
        assert_eq!(ascii("\u{b1}0.0 points"), "~0.0 points");
        assert_eq!(ascii("\u{2264} 3 ms, \u{2265}: so"), "<=3 ms, >: so");
    }
}
