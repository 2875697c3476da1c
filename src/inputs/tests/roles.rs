//! The roles of inputs by their names, wherever their values come from.

use super::*;

#[test]
fn roles_follow_names() {
    let sizes = [batch(), Dim::Symbolic("sequence".into())];
    let model = model(vec![
        info("input_ids", INT, &sizes),
        info("attention_mask", INT, &sizes),
        info("token_type_ids", INT, &sizes),
        info("position_ids", INT, &sizes),
        info("input_lengths", ElementType::Int32, &sizes[..1]),
        info("flag", ElementType::Bool, &[]),
        info("word", ElementType::String, &sizes[..1]),
    ]);
    let asked = InputRequest {
        dims: BTreeMap::from([("sequence".into(), 20)]),
        ..InputRequest::default()
    };
    let plan = plan(&model, &asked).unwrap();
    let [low, high] = [0.0, 1.0];
    let fills = plan.fed.iter().map(|fed| fed.fill.clone());
    assert_eq!(
        fills.collect::<Vec<_>>(),
        [
            FillKind::Uniform(ValueRange { low, high }),
            FillKind::Constant(1.0),
            FillKind::Constant(0.0),
            FillKind::Ascending,
            FillKind::Constant(20.0),
            FillKind::Constant(1.0),
            FillKind::Text,
        ]
    );
}

#[test]
fn data_and_ranges_steer_where_made_up_values_would() {
    let model = model(vec![
        info("x", FLOAT, &of_size(3)),
        info("x_mask", FLOAT, &of_size(3)),
        info("x_lens", INT, &[batch()]),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.npz");
    let mut npz = NpzWriter::new(File::create(&path).unwrap());
    npz.add_array("x", &counting(2)).unwrap();
    npz.add_array("x_mask", &counting(2)).unwrap();
    npz.add_array("x_lens", &Array1::from_iter([3_i64, 2]))
        .unwrap();
    npz.finish().unwrap();
    let range = ValueRange {
        low: 0.0,
        high: 1.0,
    };
    let ranges = ["x", "x_mask", "x_lens"].map(|name| (name.into(), range));
    let ranged = InputRequest {
        ranges: BTreeMap::from(ranges),
        ..InputRequest::default()
    };
    for request in [request(&path), ranged, InputRequest::default()] {
        let fed = plan(&model, &request).unwrap().fed;
        assert_eq!(
            fed.iter().map(|fed| fed.steers).collect::<Vec<_>>(),
            [false, true, true],
            "{request:?}"
        );
    }
}
