//! Names under which labels are kept.

/// Names under which labels are kept, the likeliest first.
pub(super) const NAMES: [&str; 9] = [
    "labels", "label", "y", "targets", "target", "y_true", "classes", "class", "y_test",
];

/// The item with the likeliest of these names; absent where none has one.
pub(in crate::inputs) fn likeliest<T>(
    items: impl IntoIterator<Item = T>,
    name: impl Fn(&T) -> &str,
) -> Option<T> {
    items
        .into_iter()
        .filter_map(|item| Some((place(name(&item))?, item)))
        .min_by_key(|(place, _)| *place)
        .map(|(_, item)| item)
}

/// Place of a name among [`NAMES`]; absent for any other name.
pub(in crate::inputs) fn place(name: &str) -> Option<usize> {
    NAMES
        .iter()
        .position(|known| name.eq_ignore_ascii_case(known))
}
