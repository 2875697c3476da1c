//! Trees, linear models, scalers and encoders of `ai.onnx.ml`, and how many columns of a table they
//! read.

use super::{
    AttributeValue, Call, DimRole, Dims, Expr, Known, Relation, number, owned, places, product,
};

pub(super) fn dims(call: &Call<'_>, known: &mut Known) -> Option<Vec<Dims>> {
    demand_columns(call, known);

    let made = match call.node.operator.as_str() {
        "Scaler" | "Imputer" | "Binarizer" | "Normalizer" | "LabelEncoder" | "CategoryMapper" => {
            vec![owned(call.dims(0))]
        }
        "OneHotEncoder" => vec![encoded(call)],
        "ArrayFeatureExtractor" => vec![extracted(call, known)],
        "FeatureVectorizer" => vec![joined(call)],
        "LinearRegressor" => vec![Some(vec![rows(call), number(call.integer("targets", 1))])],
        "TreeEnsembleRegressor" | "TreeEnsemble" => {
            vec![Some(vec![rows(call), number(call.integer("n_targets", 1))])]
        }
        "SVMRegressor" => vec![Some(vec![rows(call), number(1)])],
        "LinearClassifier" | "TreeEnsembleClassifier" => {
            let classes = Some(classes(call))
                .filter(|&count| count > 0)
                .map_or(Expr::Unknown, number);
            vec![Some(vec![rows(call)]), Some(vec![rows(call), classes])]
        }
        "SVMClassifier" => vec![
            Some(vec![rows(call)]),
            Some(vec![rows(call), Expr::Unknown]),
        ],
        "ZipMap" => vec![None],
        _ => return None,
    };
    Some(made)
}

fn rows(call: &Call<'_>) -> Expr {
    match call.dims(0) {
        Some([rows, _]) => rows.clone(),
        _ => Expr::Unknown,
    }
}

fn encoded(call: &Call<'_>) -> Dims {
    let count = attribute_len(call, "cats_int64s").max(attribute_len(call, "cats_strings"));
    let mut made = owned(call.dims(0))?;
    made.push(if count == 0 {
        Expr::Unknown
    } else {
        number(count as i64)
    });
    Some(made)
}

fn extracted(call: &Call<'_>, known: &mut Known) -> Dims {
    let (data, picked) = (call.dims(0)?, call.dims(1)?);
    let (columns, rows) = data.split_last()?;
    known.role(columns, DimRole::Features);
    places::reached(call, known, columns);
    let count = product(picked);
    // Of a vector it makes one row.
    Some(if rows.is_empty() {
        vec![number(1), count]
    } else {
        [rows, &[count]].concat()
    })
}

fn joined(call: &Call<'_>) -> Dims {
    let widths = call.integers("inputdimensions")?;
    let [rows, _] = call.dims(0)? else {
        return None;
    };
    Some(vec![
        rows.clone(),
        number(
            widths
                .iter()
                .fold(0, |sum: i64, width| sum.saturating_add(*width)),
        ),
    ])
}

fn demand_columns(call: &Call<'_>, known: &mut Known) {
    // Of one axis alone it is one row.
    let Some([columns] | [_, columns, ..]) = call.dims(0) else {
        return;
    };
    if let Some(last) = last_column(call) {
        read_up_to(call, known, columns, last);
    } else if let Some((count, does)) = exactly(call) {
        known.role(columns, DimRole::Features);
        known.equal(columns, &number(count), || {
            format!("{} {does} {count} features", call.words())
        });
    }
}

/// Trees read the columns that they ask about and do not look whether those are there.
fn read_up_to(call: &Call<'_>, known: &mut Known, columns: &Expr, last: i64) {
    known.role(columns, DimRole::Features);
    let least = u64::try_from(last.saturating_add(1)).unwrap_or(0);
    if least > 0 && !matches!(columns, Expr::Number(_) | Expr::Unknown) {
        known.demand(Relation::AtLeast(columns.clone(), least), || {
            format!(
                "{} reads columns up to {last}, counted from 0",
                call.words()
            )
        });
    }
}

/// The last column that trees ask about; leaves name one that does not count.
fn last_column(call: &Call<'_>) -> Option<i64> {
    let columns = call.integers("nodes_featureids")?;
    let modes = call.node.texts("nodes_modes");
    columns
        .into_iter()
        .enumerate()
        .filter(|&(place, _)| modes.get(place).is_none_or(|mode| mode != "LEAF"))
        .map(|(_, column)| column)
        .max()
}

/// The only number of columns that an operator takes, and what it does with them.
fn exactly(call: &Call<'_>) -> Option<(i64, &'static str)> {
    let count = |name: &str| attribute_len(call, name) as i64;
    // One number is for all columns.
    let several = |count: i64| (count > 1).then_some(count);
    match call.node.operator.as_str() {
        "LinearRegressor" => Some((
            parted(count("coefficients"), call.integer("targets", 1))?,
            "multiplies",
        )),
        "LinearClassifier" => Some((parted(count("coefficients"), scores(call))?, "multiplies")),
        "SVMClassifier" | "SVMRegressor" => Some((vector(call)?, "compares")),
        "Scaler" => Some((several(count("scale").max(count("offset")))?, "scales")),
        "Imputer" => Some((
            several(count("imputed_value_floats").max(count("imputed_value_int64s")))?,
            "fills in",
        )),
        _ => None,
    }
}

/// Scores that a linear classifier computes: one an intercept, fewer than the classes where one
/// score tells two apart.
fn scores(call: &Call<'_>) -> i64 {
    match attribute_len(call, "intercepts") {
        0 => classes(call),
        count => count as i64,
    }
}

/// Numbers of a support vector, or of a linear model that goes by its name.
fn vector(call: &Call<'_>) -> Option<i64> {
    let is_classifier = call.node.operator == "SVMClassifier";
    let vectors: i64 = match is_classifier {
        true => call
            .integers("vectors_per_class")
            .unwrap_or_default()
            .into_iter()
            .fold(0, i64::saturating_add),
        false => call.integer("n_supports", 0),
    };
    match vectors {
        0 if is_classifier => parted(attribute_len(call, "coefficients") as i64, classes(call)),
        0 => parted(attribute_len(call, "coefficients") as i64, 1),
        vectors => parted(attribute_len(call, "support_vectors") as i64, vectors),
    }
}

/// Classes that have a name or a number; 0 where none has.
fn classes(call: &Call<'_>) -> i64 {
    let names = [
        "classlabels_ints",
        "classlabels_int64s",
        "classlabels_strings",
    ];
    names
        .iter()
        .map(|name| attribute_len(call, name))
        .max()
        .unwrap_or(0) as i64
}

fn attribute_len(call: &Call<'_>, name: &str) -> usize {
    match call.node.attribute(name) {
        Some(AttributeValue::Integers(values)) => values.len(),
        Some(AttributeValue::Numbers(values)) => values.len(),
        Some(AttributeValue::Texts(values)) => values.len(),
        _ => 0,
    }
}

fn parted(whole: i64, parts: i64) -> Option<i64> {
    (whole > 0 && parts > 0 && whole % parts == 0).then(|| whole / parts)
}
