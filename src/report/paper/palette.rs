//! Colours and marks of series, the same in every drawing.
//!
//! Hues are those that Okabe and Ito chose so that colour-blind readers tell them apart (*Color
//! Universal Design*, 2008), darkened where they would be hard to see on white. A series also
//! differs by its mark.

#[derive(Clone, Copy, Debug)]
pub(super) struct Dress {
    pub(super) on_white: &'static str,
    pub(super) on_dark: &'static str,
    pub(super) mark: Mark,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Mark {
    Circle,
    Square,
    Diamond,
    Triangle,
}

pub(super) const PALETTE: [Dress; 8] = [
    Dress {
        on_white: "#0072b2",
        on_dark: "#4aa8e0",
        mark: Mark::Circle,
    },
    Dress {
        on_white: "#c85a00",
        on_dark: "#f2863a",
        mark: Mark::Square,
    },
    Dress {
        on_white: "#00805e",
        on_dark: "#2fc498",
        mark: Mark::Diamond,
    },
    Dress {
        on_white: "#b0608c",
        on_dark: "#e09bc2",
        mark: Mark::Triangle,
    },
    Dress {
        on_white: "#9a7400",
        on_dark: "#e8bb3c",
        mark: Mark::Circle,
    },
    Dress {
        on_white: "#3a8fbf",
        on_dark: "#8fd0f5",
        mark: Mark::Square,
    },
    Dress {
        on_white: "#5b5b66",
        on_dark: "#b4b8c2",
        mark: Mark::Diamond,
    },
    Dress {
        on_white: "#7a3fa0",
        on_dark: "#c39ae0",
        mark: Mark::Triangle,
    },
];

/// They repeat after the eighth.
pub(super) fn dress(number: usize) -> Dress {
    PALETTE[number % PALETTE.len()]
}
