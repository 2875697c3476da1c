//! Inputs that steer the work are marked wherever their values come from.

use super::*;

#[test]
fn data_and_ranges_steer_where_made_up_values_would() {
    let rows = || vec![batch(), Dim::Fixed(3)];
    let model = model(vec![
        info("x", ElementType::Float, &rows()),
        info("x_mask", ElementType::Float, &rows()),
        info("x_lens", ElementType::Int64, &[batch()]),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.npz");
    let mut npz = NpzWriter::new(File::create(&path).unwrap());
    npz.add_array("x", &counting(2)).unwrap();
    npz.add_array("x_mask", &counting(2)).unwrap();
    npz.add_array("x_lens", &Array1::from_iter([3_i64, 2])).unwrap();
    npz.finish().unwrap();
    let range = ValueRange { low: 0.0, high: 1.0 };
    let ranges = ["x", "x_mask", "x_lens"].map(|name| (name.to_owned(), range));
    let ranged = InputRequest { ranges: BTreeMap::from(ranges), ..InputRequest::default() };
    for request in [request(&path), ranged, InputRequest::default()] {
        let fed = plan(&model, &request).unwrap().fed;
        assert_eq!(fed.iter().map(|fed| fed.steers).collect::<Vec<_>>(), [false, true, true], "{request:?}");
    }
}
