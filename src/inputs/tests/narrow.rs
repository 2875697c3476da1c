//! Elements of eight bits and fewer.

use super::*;
use crate::inputs::narrow::FLOATS;
use crate::inputs::npy::npy_file;
use crate::units::Bytes;

#[test]
fn narrow_elements_are_made_up_within_their_range_and_counted_as_packed() {
    use ElementType as E;
    for element_type in [E::Int2, E::Int4, E::Uint2, E::Uint4]
        .into_iter()
        .chain(FLOATS)
    {
        let small = of_x(element_type, &of_size(5));
        let plan = made_up(&small);
        let data = fed(&plan, 2);
        assert_eq!(
            (data.element_type(), data.shape()),
            (element_type, &[2, 5][..])
        );
        let values = data.to_f64();
        assert!(
            values.iter().all(|value| (0.0..=1.0).contains(value)),
            "{element_type}: {values}"
        );
        let packed = data.packed().unwrap();
        assert_eq!(plan.bytes(2), Bytes(packed.len() as u64), "{element_type}");
        assert_eq!(
            TensorData::unpacked(element_type, &[2, 5], &packed),
            Some(data)
        );
        let wide = super::plan(&small, &ranged("x", -1000.0, 1000.0));
        let holds_a_thousand = matches!(element_type, E::Float8e5m2 | E::Float8e5m2fnuz);
        assert_eq!(wide.is_ok(), holds_a_thousand, "{element_type}");
    }
}

#[test]
fn narrow_elements_are_read_from_files_of_the_standard() {
    let (folder, set) = empty_set();
    // Dimensions 1, 3 and the number of the type; then whole numbers of a byte each, or raw bytes.
    let fields = [42, 74];
    for (number, element_type, bytes, values) in [
        (
            17,
            ElementType::Float8e4m3fn,
            &[0x38, 0x40, 0x44][..],
            [1.0, 2.0, 3.0],
        ),
        (
            18,
            ElementType::Float8e4m3fnuz,
            &[0x40, 0x48, 0x4c],
            [1.0, 2.0, 3.0],
        ),
        (
            19,
            ElementType::Float8e5m2,
            &[0x3c, 0x40, 0x42],
            [1.0, 2.0, 3.0],
        ),
        (
            20,
            ElementType::Float8e5m2fnuz,
            &[0x40, 0x44, 0x46],
            [1.0, 2.0, 3.0],
        ),
        (21, ElementType::Uint4, &[0x21, 0x0f], [1.0, 2.0, 15.0]),
        (22, ElementType::Int4, &[0x21, 0x07], [1.0, 2.0, 7.0]),
        (23, ElementType::Float4e2m1, &[0x42, 0x05], [1.0, 2.0, 3.0]),
        (
            24,
            ElementType::Float8e8m0,
            &[0x7f, 0x7e, 0x7d],
            [1.0, 0.5, 0.25],
        ),
        (25, ElementType::Uint2, &[0b11_10_01], [1.0, 2.0, 3.0]),
        (26, ElementType::Int2, &[0b10_11_01], [1.0, -1.0, -2.0]),
    ] {
        let is_long = bytes.iter().any(|&byte| byte >= 0x80);
        for field in &fields[usize::from(is_long)..] {
            let message = [&[8, 1, 8, 3, 16, number, *field, bytes.len() as u8], bytes].concat();
            std::fs::write(set.join("input_0.pb"), message).unwrap();
            let data = read(folder.path(), &of_x(element_type, &of_size(3)), 1).unwrap();
            assert_eq!(
                (data.element_type(), data.first_f64(usize::MAX)),
                (element_type, values.to_vec())
            );
        }
    }
}

#[test]
fn narrow_elements_are_read_as_ml_dtypes_writes_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    let read = |element_type, descriptor: &str, bytes: &[u8]| {
        std::fs::write(&path, npy_file(descriptor, "(3,)", bytes)).unwrap();
        super::read(&path, &of_x(element_type, &[batch()]), 3)
            .map(|data| data.first_f64(usize::MAX))
    };
    for (element_type, descriptor, bytes, values) in [
        (ElementType::Int4, "<V1", [1, 15, 8], [1.0, -1.0, -8.0]),
        (ElementType::Int2, "<V1", [1, 3, 2], [1.0, -1.0, -2.0]),
        (ElementType::Uint4, "<V1", [1, 15, 8], [1.0, 15.0, 8.0]),
        (
            ElementType::Float8e4m3fn,
            "<V1",
            [0x38, 0, 0xb8],
            [1.0, 0.0, -1.0],
        ),
        (
            ElementType::Float8e5m2,
            "<f1",
            [0x3c, 0, 0xbc],
            [1.0, 0.0, -1.0],
        ),
        (FLOAT, "<f1", [0x3c, 0, 0xbc], [1.0, 0.0, -1.0]),
        (ElementType::Int8, "|i1", [1, 2, 3], [1.0, 2.0, 3.0]),
    ] {
        assert_eq!(read(element_type, descriptor, &bytes).unwrap(), values);
    }
    let codes = read(FLOAT, "<V1", &[1, 2, 3]);
    assert!(matches!(
        codes,
        Err(InputError::Array(_, _, Misfit::ElementType(..)))
    ));
    let refused = read(ElementType::Int4, "|i1", &[1, 2, 3]).unwrap_err();
    assert!(refused.hint().unwrap().contains("ml_dtypes.int4"));
}
