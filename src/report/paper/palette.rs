//! Colours and marks of series, the same in every drawing.
//!
//! Hues are those that Okabe and Ito chose so that colour-blind readers tell them apart (*Color
//! Universal Design*, 2008), darkened where they would be hard to see on white. A series also
//! differs by its mark.

pub(super) struct Dress {
    pub(super) on_white: &'static str,
    pub(super) mark: Mark,
}

#[derive(Clone, Copy)]
pub(super) enum Mark {
    Circle,
    Square,
    Diamond,
    Triangle,
}

/// Colours on white and on dark.
pub(super) const PALETTE: [[&str; 2]; 8] = [
    ["#0072b2", "#4aa8e0"],
    ["#c85a00", "#f2863a"],
    ["#00805e", "#2fc498"],
    ["#b0608c", "#e09bc2"],
    ["#9a7400", "#e8bb3c"],
    ["#3a8fbf", "#8fd0f5"],
    ["#5b5b66", "#b4b8c2"],
    ["#7a3fa0", "#c39ae0"],
];

const MARKS: [Mark; 4] = [Mark::Circle, Mark::Square, Mark::Diamond, Mark::Triangle];

/// Colours repeat after the eighth, marks after the fourth.
pub(super) fn dress(number: usize) -> Dress {
    let [on_white, _] = PALETTE[number % PALETTE.len()];
    Dress {
        on_white,
        mark: MARKS[number % MARKS.len()],
    }
}
