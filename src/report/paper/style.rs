//! How a summary looks.

/// Whether escape sequences may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// Plain text.
    Never,
    /// Headings are bold, recommended rows green, rows without figures dim.
    Always,
}

/// Which characters a terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyphs {
    /// All of Unicode.
    Unicode,
    /// ASCII alone, but for names from outside.
    Ascii,
}

/// How a summary looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether escape sequences may be used.
    pub color: Color,
    /// Which characters may be used.
    pub glyphs: Glyphs,
    /// Columns that lines may take.
    pub width: usize,
}

impl Style {
    /// Columns where nobody says how many there are, and the most that are used: longer lines are
    /// hard to read.
    pub const WIDTH: usize = 100;
}

impl From<Color> for Style {
    /// With all of Unicode, as wide as it gets.
    fn from(color: Color) -> Self {
        Style {
            color,
            glyphs: Glyphs::Unicode,
            width: Style::WIDTH,
        }
    }
}

pub(super) const BOLD: &str = "\u{1b}[1m";

pub(super) const GREEN: &str = "\u{1b}[32m";

pub(super) const DIM: &str = "\u{1b}[2m";

pub(super) const RED: &str = "\u{1b}[31m";

pub(super) const RESET: &str = "\u{1b}[0m";
