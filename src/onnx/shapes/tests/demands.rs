//! Demands of operators on columns, channels, and axes that they pick from.

use super::*;

/// An operator of `ai.onnx.ml` that reads a table of open rows and columns.
fn table(call: &str) -> Builder {
    floats("x", &[-1, -2]).node(&format!("y, z = ai.onnx.ml.{call} x"))
}

#[test]
fn trees_read_columns_up_to_the_last_that_they_ask_about() {
    for operator in [
        "TreeEnsembleClassifier",
        "TreeEnsembleRegressor",
        "TreeEnsemble",
    ] {
        let columns = format!("{operator} nodes_featureids=1,4,9,0");
        let modes = "nodes_modes=BRANCH_LEQ,BRANCH_LT,LEAF,BRANCH_LEQ";
        let facts = table(&format!("{columns} {modes}")).facts();
        assert_eq!(relations(&facts), [at_least(1, 5)], "{operator}");
        assert_eq!(
            facts.demands[0].reason,
            format!("{operator} `n0` reads columns up to 4, counted from 0")
        );
        assert_eq!(roles(&facts), [None, Some(DimRole::Features)]);
        // Trees of later versions keep their leaves elsewhere.
        let facts = table(&columns).facts();
        assert_eq!(relations(&facts), [at_least(1, 10)]);
    }
    let row = floats("x", &[-1])
        .node("y = ai.onnx.ml.TreeEnsembleRegressor x nodes_featureids=0")
        .facts();
    assert_eq!(relations(&row), [at_least(0, 1)]);
}

/// Checks how many columns an operator takes of a table, which has attributes of so many numbers.
fn check_columns(call: &str, numbers: &[(&str, usize)], count: Option<i64>) {
    let numbers = numbers.iter();
    let built = numbers.clone().fold(table(call), |built, &(name, count)| {
        built.with(name, AttributeValue::Numbers(vec![0.5; count]))
    });
    let facts = built.facts();
    let wanted = count.map(|count| equal(1, count));
    assert_eq!(
        relations(&facts),
        Vec::from_iter(wanted),
        "{call}: {numbers:?}"
    );
    let role = count.map(|_| DimRole::Features);
    assert_eq!(roles(&facts), [None, role], "{call}: {numbers:?}");
}

#[test]
fn linear_models_take_as_many_columns_as_they_have_numbers() {
    check_columns("LinearRegressor", &[("coefficients", 6)], Some(6));
    check_columns("LinearRegressor targets=2", &[("coefficients", 6)], Some(3));
    let scores = [("coefficients", 12), ("intercepts", 3)];
    check_columns("LinearClassifier", &scores, Some(4));
    // One score tells two classes apart.
    let score = [("coefficients", 5), ("intercepts", 1)];
    check_columns("LinearClassifier classlabels_ints=0,1", &score, Some(5));
    check_columns(
        "LinearClassifier classlabels_strings=a,b",
        &[("coefficients", 8)],
        Some(4),
    );
}

#[test]
fn support_vectors_and_scalers_take_as_many_columns_as_they_have_numbers() {
    for (call, numbers, count) in [
        ("SVMRegressor n_supports=3", ("support_vectors", 21), 7),
        ("SVMRegressor n_supports=0", ("coefficients", 5), 5),
        (
            "SVMClassifier vectors_per_class=2,3",
            ("support_vectors", 20),
            4,
        ),
        (
            "SVMClassifier classlabels_ints=0,1,2",
            ("coefficients", 6),
            2,
        ),
        ("Scaler", ("offset", 4), 4),
        ("Imputer", ("imputed_value_floats", 5), 5),
    ] {
        check_columns(call, &[numbers], Some(count));
    }
    check_columns("Scaler", &[("scale", 3), ("offset", 3)], Some(3));
    check_columns("Scaler", &[("scale", 1), ("offset", 1)], None);
    check_columns("Imputer imputed_value_int64s=7", &[], None);
}

#[test]
fn places_that_are_picked_must_be_there() {
    let picked = |call: &str, places: &[f64]| {
        let built = floats("x", &[-1, -2]).whole("places", places);
        relations(&built.node(&format!("y = {call} x places")).facts())
    };
    assert_eq!(picked("Gather axis=1", &[0.0, 5.0, 2.0]), [at_least(1, 6)]);
    assert_eq!(picked("Gather axis=1", &[-3.0, 1.0]), [at_least(1, 3)]);
    assert!(picked("Gather axis=1", &[0.0, -1.0]).is_empty());
    assert_eq!(picked("Gather", &[3.0]), [at_least(0, 4)]);
    assert_eq!(
        picked("ai.onnx.ml.ArrayFeatureExtractor", &[7.0, 1.0]),
        [at_least(1, 8)]
    );
    let many: Vec<f64> = (0..200).map(f64::from).collect();
    assert_eq!(picked("Gather axis=1", &many), [at_least(1, 200)]);
    let elements = floats("x", &[-1, -2])
        .stored(testing::whole("places", &[1, 2], &[3.0, -6.0]))
        .node("y = GatherElements x places axis=1")
        .facts();
    assert_eq!(relations(&elements), [at_least(1, 6)]);
}

/// The demands of a normalization of (-1, -2, -3, -4) with a stored scale of these sizes.
fn normalized(call: &str, scale: &[u64]) -> Vec<Relation> {
    let built = floats("x", &[-1, -2, -3, -4]).weight("scale", scale);
    relations(&built.node(&format!("y = {call} x scale")).facts())
}

#[test]
fn normalizations_and_slopes_demand_their_channels_or_the_features_on_each_of_their_axes() {
    for operator in ["BatchNormalization", "InstanceNormalization"] {
        assert_eq!(normalized(operator, &[6]), [equal(1, 6)], "{operator}");
    }
    assert_eq!(
        normalized("GroupNormalization num_groups=4", &[12]),
        [equal(1, 12)]
    );
    assert_eq!(
        normalized("GroupNormalization num_groups=4", &[4]),
        [Relation::MultipleOf(Expr::Dim(1), 4)]
    );
    for operator in ["com.microsoft.GroupNorm", "com.microsoft.SkipGroupNorm"] {
        assert_eq!(normalized(operator, &[12]), [equal(3, 12)], "{operator}");
        assert_eq!(
            normalized(&format!("{operator} channels_last=0"), &[12]),
            [equal(1, 12)],
            "{operator}"
        );
    }
    assert_eq!(normalized("PRelu", &[6, 1, 1]), [equal(1, 6)]);
    assert_eq!(normalized("LayerNormalization", &[8]), [equal(3, 8)]);
    assert_eq!(
        normalized("LayerNormalization axis=-2", &[5, 8]),
        [equal(2, 5), equal(3, 8)]
    );
    assert_eq!(
        normalized("LayerNormalization axis=-2", &[1, 8]),
        [equal(3, 8)]
    );
    assert_eq!(normalized("RMSNormalization", &[8]), [equal(3, 8)]);
}
