//! What dimensions are found to count.

use super::*;

#[test]
fn images_with_colours_last_and_without_a_batch_are_images() {
    let last = floats("p", &[-1, -2, -3, 3])
        .weight("w", &[8, 3, 3, 3])
        .node("Cast", &["p"], &["f"], &[("to", integers(&[1]))])
        .node(
            "Transpose",
            &["f"],
            &["t"],
            &[("perm", integers(&[0, 3, 1, 2]))],
        )
        .plain("Conv", &["t", "w"], "y")
        .facts();
    assert_eq!(
        roles(&last),
        [None, Some(DimRole::Height), Some(DimRole::Width)]
    );
    let one = floats("p", &[3, -1, -2])
        .weight("w", &[8, 3, 3, 3])
        .whole("zero", &[0.0])
        .plain("Unsqueeze", &["p", "zero"], "u")
        .plain("Conv", &["u", "w"], "y")
        .facts();
    assert_eq!(roles(&one), [Some(DimRole::Height), Some(DimRole::Width)]);
}

#[test]
fn sound_and_spectra_are_told_apart() {
    let sound = floats("p", &[-1, -2])
        .weight("w", &[16, 1, 10])
        .whole("one", &[1.0])
        .plain("Unsqueeze", &["p", "one"], "u")
        .node("Conv", &["u", "w"], &["y"], &[("strides", integers(&[5]))])
        .facts();
    assert_eq!(roles(&sound), [None, Some(DimRole::Audio)]);
    assert!(relations(&sound).contains(&&Relation::AtLeast(Expr::Dim(1), 10)));
    let spectrum = floats("p", &[-1, 80, -2])
        .weight("w", &[16, 80, 3])
        .plain("Conv", &["p", "w"], "y")
        .facts();
    assert_eq!(roles(&spectrum), [None, Some(DimRole::Frames)]);
}

#[test]
fn padding_hides_no_sound_and_no_image() {
    let sound = floats("p", &[-1, -2])
        .weight("w", &[16, 1, 10])
        .whole("one", &[1.0])
        .whole("pads", &[0.0, 0.0, 40.0, 0.0, 0.0, 40.0])
        .plain("Unsqueeze", &["p", "one"], "u")
        .node("Pad", &["u", "pads"], &["v"], &[("mode", text("reflect"))])
        .node("Conv", &["v", "w"], &["y"], &[("strides", integers(&[5]))])
        .facts();
    assert_eq!(roles(&sound), [None, Some(DimRole::Audio)]);
    let image = floats("p", &[-1, 3, -2, -3])
        .weight("w", &[8, 3, 3, 3])
        .whole("pads", &[0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0])
        .plain("Pad", &["p", "pads"], "u")
        .plain("Conv", &["u", "w"], "y")
        .facts();
    assert_eq!(
        roles(&image),
        [None, Some(DimRole::Height), Some(DimRole::Width)]
    );
}

#[test]
fn two_channels_that_are_read_many_samples_at_once_are_a_sound() {
    let role = |channels: i64, kernel: u64, stride: i64| {
        let facts = floats("p", &[-1, channels, -2])
            .weight("w", &[16, 2, kernel])
            .node(
                "Conv",
                &["p", "w"],
                &["y"],
                &[("strides", integers(&[stride]))],
            )
            .facts();
        roles(&facts).last().copied().flatten()
    };
    for channels in [2, -3] {
        assert_eq!(role(channels, 8, 4), Some(DimRole::Audio), "{channels}");
        assert_eq!(role(channels, 3, 8), Some(DimRole::Audio), "{channels}");
        assert_eq!(role(channels, 3, 1), Some(DimRole::Frames), "{channels}");
    }
    let six = floats("p", &[-1, 6, -2])
        .weight("w", &[16, 6, 16])
        .plain("Conv", &["p", "w"], "y")
        .facts();
    assert_eq!(roles(&six), [None, Some(DimRole::Frames)]);
}
