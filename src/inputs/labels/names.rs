//! Names under which labels are kept.

/// Names under which labels are kept, the likeliest first.
pub(super) const NAMES: [&str; 9] = [
    "labels", "label", "y", "targets", "target", "y_true", "classes", "class", "y_test",
];

/// Place of a name among [`NAMES`]; absent for any other name.
pub(in crate::inputs) fn place(name: &str) -> Option<usize> {
    NAMES
        .iter()
        .position(|known| name.eq_ignore_ascii_case(known))
}
