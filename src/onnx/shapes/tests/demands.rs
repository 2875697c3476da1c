//! What operators demand of columns, channels, and axes that they pick from.

use super::*;

type Attributes = Vec<(&'static str, AttributeValue)>;

fn numbers(count: usize) -> AttributeValue {
    AttributeValue::Numbers(vec![0.5; count])
}

fn texts(values: &[&str]) -> AttributeValue {
    AttributeValue::Texts(values.iter().map(|&value| value.to_owned()).collect())
}

/// Facts of an operator of `ai.onnx.ml` that reads a table of open rows and columns.
fn of_table(operator: &str, attributes: &[(&str, AttributeValue)]) -> ShapeFacts {
    let table = floats("x", &[-1, -2]);
    table
        .node_with(&format!("y, z = ai.onnx.ml.{operator} x"), attributes)
        .facts()
}

#[test]
fn trees_read_columns_up_to_the_last_that_they_ask_about() {
    for operator in [
        "TreeEnsembleClassifier",
        "TreeEnsembleRegressor",
        "TreeEnsemble",
    ] {
        let columns = ("nodes_featureids", integers(&[1, 4, 9, 0]));
        let modes = (
            "nodes_modes",
            texts(&["BRANCH_LEQ", "BRANCH_LT", "LEAF", "BRANCH_LEQ"]),
        );
        let facts = of_table(operator, &[columns.clone(), modes]);
        assert_eq!(relations(&facts), [at_least(1, 5)], "{operator}");
        assert_eq!(
            facts.demands[0].reason,
            format!("{operator} `n0` reads columns up to 4, counted from 0")
        );
        assert_eq!(roles(&facts), [None, Some(DimRole::Features)]);
        // Trees of later versions keep their leaves elsewhere.
        assert_eq!(
            relations(&of_table(operator, &[columns])),
            [at_least(1, 10)]
        );
    }
    let row = floats("x", &[-1])
        .node("y = ai.onnx.ml.TreeEnsembleRegressor x nodes_featureids=0")
        .facts();
    assert_eq!(relations(&row), [at_least(0, 1)]);
}

/// Checks how many columns each operator takes of a table, with its attributes.
fn check_columns(cases: &[(&str, Attributes, Option<i64>)]) {
    for (operator, attributes, count) in cases {
        let facts = of_table(operator, attributes);
        let wanted = count.map(|count| equal(1, count));
        assert_eq!(
            relations(&facts),
            Vec::from_iter(wanted),
            "{operator}: {attributes:?}"
        );
        assert_eq!(
            roles(&facts),
            [None, count.map(|_| DimRole::Features)],
            "{operator}: {attributes:?}"
        );
    }
}

#[test]
fn linear_models_take_as_many_columns_as_they_have_numbers() {
    check_columns(&[
        (
            "LinearRegressor",
            vec![("coefficients", numbers(6))],
            Some(6),
        ),
        (
            "LinearRegressor",
            vec![("coefficients", numbers(6)), ("targets", integers(&[2]))],
            Some(3),
        ),
        (
            "LinearClassifier",
            vec![("coefficients", numbers(12)), ("intercepts", numbers(3))],
            Some(4),
        ),
        // One score tells two classes apart.
        (
            "LinearClassifier",
            vec![
                ("coefficients", numbers(5)),
                ("intercepts", numbers(1)),
                ("classlabels_ints", integers(&[0, 1])),
            ],
            Some(5),
        ),
        (
            "LinearClassifier",
            vec![
                ("coefficients", numbers(8)),
                ("classlabels_strings", texts(&["a", "b"])),
            ],
            Some(4),
        ),
    ]);
}

#[test]
fn support_vectors_and_scalers_take_as_many_columns_as_they_have_numbers() {
    let one = |value: i64| integers(&[value]);
    check_columns(&[
        (
            "SVMRegressor",
            vec![("support_vectors", numbers(21)), ("n_supports", one(3))],
            Some(7),
        ),
        (
            "SVMRegressor",
            vec![("coefficients", numbers(5)), ("n_supports", one(0))],
            Some(5),
        ),
        (
            "SVMClassifier",
            vec![
                ("support_vectors", numbers(20)),
                ("vectors_per_class", integers(&[2, 3])),
            ],
            Some(4),
        ),
        (
            "SVMClassifier",
            vec![
                ("coefficients", numbers(6)),
                ("classlabels_ints", integers(&[0, 1, 2])),
            ],
            Some(2),
        ),
        (
            "Scaler",
            vec![("scale", numbers(3)), ("offset", numbers(3))],
            Some(3),
        ),
        ("Scaler", vec![("offset", numbers(4))], Some(4)),
        (
            "Scaler",
            vec![("scale", numbers(1)), ("offset", numbers(1))],
            None,
        ),
        (
            "Imputer",
            vec![("imputed_value_floats", numbers(5))],
            Some(5),
        ),
        (
            "Imputer",
            vec![("imputed_value_int64s", integers(&[7]))],
            None,
        ),
    ]);
}

#[test]
fn places_that_are_picked_must_be_there() {
    let picked = |operator: &str, places: &[f64], attributes: &[(&str, AttributeValue)]| {
        let facts = floats("x", &[-1, -2])
            .whole("places", places)
            .node_with(&format!("y = {operator} x places"), attributes)
            .facts();
        relations(&facts)
    };
    let second = [("axis", integers(&[1]))];
    assert_eq!(
        picked("Gather", &[0.0, 5.0, 2.0], &second),
        [at_least(1, 6)]
    );
    assert_eq!(picked("Gather", &[-3.0, 1.0], &second), [at_least(1, 3)]);
    assert!(picked("Gather", &[0.0, -1.0], &second).is_empty());
    assert_eq!(picked("Gather", &[3.0], &[]), [at_least(0, 4)]);
    assert_eq!(
        picked("ai.onnx.ml.ArrayFeatureExtractor", &[7.0, 1.0], &[]),
        [at_least(1, 8)]
    );
    let many: Vec<f64> = (0..200).map(f64::from).collect();
    assert_eq!(picked("Gather", &many, &second), [at_least(1, 200)]);
    let elements = floats("x", &[-1, -2])
        .stored(testing::whole("places", &[1, 2], &[3.0, -6.0]))
        .node_with("y = GatherElements x places", &second)
        .facts();
    assert_eq!(relations(&elements), [at_least(1, 6)]);
}

/// The demands of a normalization of (-1, -2, -3, -4) with a stored scale of these sizes.
fn normalized(
    operator: &str,
    scale: &[u64],
    attributes: &[(&str, AttributeValue)],
) -> Vec<Relation> {
    let facts = floats("x", &[-1, -2, -3, -4])
        .weight("scale", scale)
        .node_with(&format!("y = {operator} x scale"), attributes)
        .facts();
    relations(&facts)
}

#[test]
fn normalizations_and_slopes_demand_their_channels_or_the_features_on_each_of_their_axes() {
    for operator in ["BatchNormalization", "InstanceNormalization"] {
        assert_eq!(normalized(operator, &[6], &[]), [equal(1, 6)], "{operator}");
    }
    let groups = [("num_groups", integers(&[4]))];
    assert_eq!(
        normalized("GroupNormalization", &[12], &groups),
        [equal(1, 12)]
    );
    assert_eq!(
        normalized("GroupNormalization", &[4], &groups),
        [Relation::MultipleOf(Expr::Dim(1), 4)]
    );
    for operator in ["com.microsoft.GroupNorm", "com.microsoft.SkipGroupNorm"] {
        assert_eq!(
            normalized(operator, &[12], &[]),
            [equal(3, 12)],
            "{operator}"
        );
        assert_eq!(
            normalized(operator, &[12], &[("channels_last", integers(&[0]))]),
            [equal(1, 12)],
            "{operator}"
        );
    }
    assert_eq!(normalized("PRelu", &[6, 1, 1], &[]), [equal(1, 6)]);
    assert_eq!(normalized("LayerNormalization", &[8], &[]), [equal(3, 8)]);
    let two = [("axis", integers(&[-2]))];
    assert_eq!(
        normalized("LayerNormalization", &[5, 8], &two),
        [equal(2, 5), equal(3, 8)]
    );
    assert_eq!(
        normalized("LayerNormalization", &[1, 8], &two),
        [equal(3, 8)]
    );
    assert_eq!(normalized("RMSNormalization", &[8], &[]), [equal(3, 8)]);
}
