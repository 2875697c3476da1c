//! Things that dimensions are found to count.

use super::*;

#[test]
fn images_with_colours_last_and_without_a_batch_are_images() {
    let last = floats("p", &[-1, -2, -3, 3])
        .weight("w", &[8, 3, 3, 3])
        .node("f = Cast p to=1")
        .node("t = Transpose f perm=0,3,1,2")
        .node("y = Conv t w")
        .facts();
    assert_eq!(
        roles(&last),
        [None, Some(DimRole::Height), Some(DimRole::Width)]
    );
    let one = floats("p", &[3, -1, -2])
        .weight("w", &[8, 3, 3, 3])
        .whole("zero", &[0.0])
        .node("u = Unsqueeze p zero")
        .node("y = Conv u w")
        .facts();
    assert_eq!(roles(&one), [Some(DimRole::Height), Some(DimRole::Width)]);
}

#[test]
fn sound_and_spectra_are_told_apart() {
    let sound = floats("p", &[-1, -2])
        .weight("w", &[16, 1, 10])
        .whole("one", &[1.0])
        .node("u = Unsqueeze p one")
        .node("y = Conv u w strides=5")
        .facts();
    assert_eq!(roles(&sound), [None, Some(DimRole::Audio)]);
    assert!(relations(&sound).contains(&at_least(1, 10)));
    let spectrum = floats("p", &[-1, 80, -2])
        .weight("w", &[16, 80, 3])
        .node("y = Conv p w")
        .facts();
    assert_eq!(roles(&spectrum), [None, Some(DimRole::Frames)]);
}

#[test]
fn padding_hides_no_sound_and_no_image() {
    let sound = floats("p", &[-1, -2])
        .weight("w", &[16, 1, 10])
        .whole("one", &[1.0])
        .whole("pads", &[0.0, 0.0, 40.0, 0.0, 0.0, 40.0])
        .node("u = Unsqueeze p one")
        .node("v = Pad u pads mode=reflect")
        .node("y = Conv v w strides=5")
        .facts();
    assert_eq!(roles(&sound), [None, Some(DimRole::Audio)]);
    let image = floats("p", &[-1, 3, -2, -3])
        .weight("w", &[8, 3, 3, 3])
        .whole("pads", &[0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0])
        .node("u = Pad p pads")
        .node("y = Conv u w")
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
            .node(&format!("y = Conv p w strides={stride}"))
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
        .node("y = Conv p w")
        .facts();
    assert_eq!(roles(&six), [None, Some(DimRole::Frames)]);
}
