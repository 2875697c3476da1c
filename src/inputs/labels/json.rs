//! Labels in lists of JSON.

use ndarray::ArrayD;
use serde_json::Value;

use super::Labels;
use super::names::likeliest;
use super::words::column;
use crate::inputs::TensorData;

/// A list, or the list in an object whose name is one of labels.
pub(super) fn json(text: &str) -> Result<Labels, String> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    let Some(Value::Array(items)) = labels_in(&value) else {
        return Err("it holds no list of labels".to_owned());
    };
    match items.iter().map(Value::as_str).collect::<Option<Vec<_>>>() {
        Some(words) => column(&words),
        None => numbers(items),
    }
}

/// The value of an object whose name is one of labels; any other value as it is.
fn labels_in(value: &Value) -> Option<&Value> {
    let Value::Object(entries) = value else {
        return Some(value);
    };
    likeliest(entries, |(name, _)| name).map(|(_, list)| list)
}

fn numbers(items: &[Value]) -> Result<Labels, String> {
    let (mut shape, mut numbers) = (Vec::new(), Vec::new());
    nested(items, 0, &mut shape, &mut numbers)?;
    let is_whole = numbers.iter().all(|number: &f64| number.fract() == 0.0);
    let made =
        ArrayD::from_shape_vec(shape, numbers).map_err(|_| "its lists are of unlike lengths")?;
    Ok(Labels::new(if is_whole {
        TensorData::Int64(made.mapv(|number| number as i64))
    } else {
        TensorData::Double(made)
    }))
}

fn nested(
    items: &[Value],
    depth: usize,
    shape: &mut Vec<usize>,
    numbers: &mut Vec<f64>,
) -> Result<(), String> {
    if shape.len() == depth {
        shape.push(items.len());
    }
    if shape[depth] != items.len() {
        return Err("its lists are of unlike lengths".to_owned());
    }
    for item in items {
        match item {
            Value::Array(inner) => nested(inner, depth + 1, shape, numbers)?,
            Value::Bool(bit) => numbers.push(f64::from(u8::from(*bit))),
            Value::Number(number) => numbers.extend(number.as_f64()),
            other => return Err(format!("`{other}` is no label")),
        }
    }
    Ok(())
}
