//! Trees, linear models, scalers and encoders of `ai.onnx.ml`.

use super::super::known::Known;
use super::super::value::{Call, Dims};
use super::{number, owned};
use crate::onnx::AttributeValue;
use crate::onnx::shapes::Expr;

pub(super) fn dims(call: &Call<'_>, known: &mut Known) -> Option<Vec<Dims>> {
    let rows = || call.dims(0).and_then(|dims| if dims.len() == 2 { dims.first().cloned() } else { None });
    let rows = || rows().unwrap_or(Expr::Unknown);
    let made = match call.node.operator.as_str() {
        "Scaler" | "Imputer" | "Binarizer" | "Normalizer" | "LabelEncoder" | "CategoryMapper" => {
            vec![like_first(call, known)]
        }
        "OneHotEncoder" => vec![encoded(call)],
        "ArrayFeatureExtractor" => vec![extracted(call)],
        "FeatureVectorizer" => vec![joined(call)],
        "LinearRegressor" => vec![Some(vec![rows(), number(call.integer("targets", 1))])],
        "TreeEnsembleRegressor" => vec![Some(vec![rows(), number(call.integer("n_targets", 1))])],
        "TreeEnsemble" => vec![Some(vec![rows(), number(call.integer("n_targets", 1))])],
        "SVMRegressor" => vec![Some(vec![rows(), number(1)])],
        "LinearClassifier" | "TreeEnsembleClassifier" => vec![Some(vec![rows()]), Some(vec![rows(), classes(call)])],
        "SVMClassifier" => vec![Some(vec![rows()]), Some(vec![rows(), Expr::Unknown])],
        "ZipMap" => vec![None],
        _ => return None,
    };
    Some(made)
}

/// A scale an input's feature, unless one is for all.
fn like_first(call: &Call<'_>, known: &mut Known) -> Dims {
    if let (Some([.., features]), Some(AttributeValue::Numbers(scales))) = (call.dims(0), call.node.attribute("scale"))
        && scales.len() > 1
    {
        let count = scales.len();
        known.equal(features, &number(count as i64), || format!("{} scales {count} features", call.words()));
    }
    owned(call.dims(0))
}

fn attribute_len(call: &Call<'_>, name: &str) -> usize {
    match call.node.attribute(name) {
        Some(AttributeValue::Integers(values)) => values.len(),
        Some(AttributeValue::Numbers(values)) => values.len(),
        Some(AttributeValue::Texts(values)) => values.len(),
        _ => 0,
    }
}

fn encoded(call: &Call<'_>) -> Dims {
    let count = attribute_len(call, "cats_int64s").max(attribute_len(call, "cats_strings"));
    let mut made = owned(call.dims(0))?;
    made.push(if count == 0 { Expr::Unknown } else { number(count as i64) });
    Some(made)
}

fn extracted(call: &Call<'_>) -> Dims {
    let (data, places) = (call.dims(0)?, call.dims(1)?);
    let (_, rows) = data.split_last()?;
    let count = places.iter().fold(number(1), |product, size| product.times(size));
    // Of a vector it makes one row.
    Some(if rows.is_empty() { vec![number(1), count] } else { [rows, &[count]].concat() })
}

fn joined(call: &Call<'_>) -> Dims {
    let widths = call.integers("inputdimensions")?;
    let rows = call.dims(0).filter(|dims| dims.len() == 2)?.first()?.clone();
    Some(vec![rows, number(widths.iter().sum())])
}

/// Classes that scores are given for; two where a model of one score tells two apart.
fn classes(call: &Call<'_>) -> Expr {
    let names = ["classlabels_ints", "classlabels_int64s", "classlabels_strings"];
    match names.iter().map(|name| attribute_len(call, name)).max().unwrap_or(0) {
        0 => Expr::Unknown,
        count => number(count as i64),
    }
}
