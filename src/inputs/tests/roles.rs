//! What inputs are taken for by their names.

use super::*;

#[test]
fn roles_follow_names() {
    let sizes = [batch(), Dim::Symbolic("sequence".to_owned())];
    let model = model(vec![
        info("input_ids", ElementType::Int64, &sizes),
        info("attention_mask", ElementType::Int64, &sizes),
        info("token_type_ids", ElementType::Int64, &sizes),
        info("position_ids", ElementType::Int64, &sizes),
        info("input_lengths", ElementType::Int32, &sizes[..1]),
        info("flag", ElementType::Bool, &[]),
        info("word", ElementType::String, &sizes[..1]),
    ]);
    let asked = InputRequest { dims: BTreeMap::from([("sequence".to_owned(), 20)]), ..InputRequest::default() };
    let plan = plan(&model, &asked).unwrap();
    let fills: Vec<&FillKind> = plan.fed.iter().map(|fed| &fed.fill).collect();
    assert_eq!(
        fills,
        [
            &FillKind::Uniform(ValueRange { low: 0.0, high: 1.0 }),
            &FillKind::Constant(1.0),
            &FillKind::Constant(0.0),
            &FillKind::Ascending,
            &FillKind::Constant(20.0),
            &FillKind::Constant(1.0),
            &FillKind::Text,
        ]
    );
}
