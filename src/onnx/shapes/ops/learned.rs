//! Trees, linear models, scalers and encoders of `ai.onnx.ml`.

use super::super::known::Known;
use super::super::value::{Call, Dims, number, owned};
use super::columns::{self, attribute_len};
use super::places;
use crate::onnx::shapes::{DimRole, Expr};

pub(super) fn dims(call: &Call<'_>, known: &mut Known) -> Option<Vec<Dims>> {
    columns::demanded(call, known);
    let rows = || call.dims(0).and_then(|dims| if dims.len() == 2 { dims.first().cloned() } else { None });
    let rows = || rows().unwrap_or(Expr::Unknown);
    let made = match call.node.operator.as_str() {
        "Scaler" | "Imputer" | "Binarizer" | "Normalizer" | "LabelEncoder" | "CategoryMapper" => {
            vec![owned(call.dims(0))]
        }
        "OneHotEncoder" => vec![encoded(call)],
        "ArrayFeatureExtractor" => vec![extracted(call, known)],
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

fn encoded(call: &Call<'_>) -> Dims {
    let count = attribute_len(call, "cats_int64s").max(attribute_len(call, "cats_strings"));
    let mut made = owned(call.dims(0))?;
    made.push(if count == 0 { Expr::Unknown } else { number(count as i64) });
    Some(made)
}

fn extracted(call: &Call<'_>, known: &mut Known) -> Dims {
    let (data, picked) = (call.dims(0)?, call.dims(1)?);
    let (columns, rows) = data.split_last()?;
    known.role(columns, DimRole::Features);
    places::reached(call, known, columns);
    let count = picked.iter().fold(number(1), |product, size| product.times(size));
    // Of a vector it makes one row.
    Some(if rows.is_empty() { vec![number(1), count] } else { [rows, &[count]].concat() })
}

fn joined(call: &Call<'_>) -> Dims {
    let widths = call.integers("inputdimensions")?;
    let rows = call.dims(0).filter(|dims| dims.len() == 2)?.first()?.clone();
    Some(vec![rows, number(widths.iter().fold(0, |sum: i64, width| sum.saturating_add(*width)))])
}

/// Classes that scores are given for; two where a model of one score tells two apart.
fn classes(call: &Call<'_>) -> Expr {
    match columns::classes(call) {
        0 => Expr::Unknown,
        count => number(count),
    }
}
