//! Rows, columns and colours of images, in the forms in which people write them.

use serde_json::Value;

use crate::inputs::about::About;

/// Numbers of colours: grey, three, or three and transparency.
const COLOURS: [u64; 3] = [1, 3, 4];

/// Sizes of an image: its one side, its rows and columns, or these beside the colours, behind a
/// batch or not.
pub(super) fn of_numbers(numbers: &[u64]) -> Vec<(About, u64)> {
    match *numbers {
        [side] => sides(side, side),
        [height, width] => sides(height, width),
        [colours, height, width] | [_, colours, height, width] if COLOURS.contains(&colours) => {
            image(height, width, colours)
        }
        [height, width, colours] | [_, height, width, colours] if COLOURS.contains(&colours) => {
            image(height, width, colours)
        }
        _ => Vec::new(),
    }
}

fn sides(height: u64, width: u64) -> Vec<(About, u64)> {
    vec![(About::Height, height), (About::Width, width)]
}

fn image(height: u64, width: u64, colours: u64) -> Vec<(About, u64)> {
    let mut sizes = sides(height, width);
    sizes.push((About::Channels, colours));
    sizes
}

/// The same of a value of JSON, each with what leads from the value to its number: nothing, or a
/// key behind a dot.
pub(super) fn of_value(value: &Value) -> Vec<(About, u64, &'static str)> {
    if let (Some(height), Some(width)) = (number(value, "height"), number(value, "width")) {
        return vec![
            (About::Height, height, ".height"),
            (About::Width, width, ".width"),
        ];
    }
    if let Some(side) = number(value, "shortest_edge") {
        let way = ".shortest_edge";
        return vec![(About::Height, side, way), (About::Width, side, way)];
    }
    of_numbers(&numbers(value))
        .into_iter()
        .map(|(about, size)| (about, size, ""))
        .collect()
}

fn number(value: &Value, key: &str) -> Option<u64> {
    value.get(key).and_then(Value::as_u64)
}

/// The numbers of a list, or the only one.
fn numbers(value: &Value) -> Vec<u64> {
    match value {
        Value::Array(values) => values.iter().filter_map(Value::as_u64).collect(),
        value => value.as_u64().into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(numbers: &[u64]) -> Vec<u64> {
        of_numbers(numbers)
            .into_iter()
            .map(|(_, size)| size)
            .collect()
    }

    #[test]
    fn rows_and_columns_are_those_beside_the_colours() {
        assert_eq!(sizes(&[96]), [96, 96]);
        assert_eq!(sizes(&[96, 64]), [96, 64]);
        for image in [
            &[3, 96, 64][..],
            &[96, 64, 3],
            &[1, 3, 96, 64],
            &[8, 96, 64, 3],
        ] {
            assert_eq!(sizes(image), [96, 64, 3], "{image:?}");
        }
        assert_eq!(sizes(&[1, 1, 28, 20]), [28, 20, 1]);
        for none in [&[][..], &[5, 96, 64], &[1, 5, 96, 64], &[1, 3, 8, 96, 64]] {
            assert!(sizes(none).is_empty(), "{none:?}");
        }
    }

    #[test]
    fn values_of_json_are_numbers_lists_or_name_their_sides() {
        let sizes = |text: &str| -> Vec<(u64, &str)> {
            of_value(&serde_json::from_str(text).unwrap())
                .into_iter()
                .map(|(_, size, way)| (size, way))
                .collect()
        };
        assert_eq!(sizes("96"), [(96, ""), (96, "")]);
        assert_eq!(sizes("[-1, 3, 96, 64]"), [(96, ""), (64, ""), (3, "")]);
        assert_eq!(
            sizes(r#"{"width": 64, "height": 96}"#),
            [(96, ".height"), (64, ".width")]
        );
        assert_eq!(
            sizes(r#"{"shortest_edge": 96}"#),
            [(96, ".shortest_edge"), (96, ".shortest_edge")]
        );
        assert!(sizes(r#"{"longest_edge": 96}"#).is_empty() && sizes("null").is_empty());
    }
}
