//! Numbers as they are shown.

use super::*;

const fn interval(low: f64, high: f64) -> Interval {
    Interval { low, high }
}

#[test]
fn signed_changes_have_the_unit_and_the_digits_that_their_interval_suits() {
    for (change, ends, shown) in [
        (
            118_000.0,
            Some((36_000.0, 141_000.0)),
            "+120 µs (40 to 140)",
        ),
        (-1.0, Some((-24_000.0, 24_000.0)), "0 µs (-24 to 24)"),
        (
            -59_100.0,
            Some((-66_200.0, -50_300.0)),
            "-59 µs (-66 to -50)",
        ),
        (-245_000.0, None, "-245 µs"),
        (0.0, None, "0 ns"),
    ] {
        let interval = ends.map(|(low, high)| interval(low, high));
        assert_eq!(signed(Unit::Ns, change, interval), shown);
    }
}

#[test]
fn narrow_columns_have_whole_percents_which_promise_no_more_than_is_known() {
    for (centre, low, high, shown) in [
        (214_000.0, 209_800.0, 218_000.0, "214 µs ± 2%"),
        (288_900.0, 288_600.0, 289_000.0, "289 µs ± 1%"),
        (288_900.0, 100_000.0, 500_000.0, "290 µs ± 74%"),
        (1_000.0, 990.0, 1_000.0, "1.00 µs ± 1%"),
    ] {
        let found = with_whole_half_width(Unit::Ns, centre, interval(low, high));
        assert_eq!(found, shown);
    }
    for (bytes, shown) in [
        (31_667_000.0, "30 MiB"),
        (1_572_000.0, "1.5 MiB"),
        (788_480.0, "770 KiB"),
    ] {
        assert_eq!(about_size(bytes), shown);
    }
}

#[test]
fn changes_without_size_have_no_sign() {
    assert_eq!(
        ["0.906", "0.998", "1.02"].map(|factor| change(factor.parse().unwrap())),
        ["-9%", "±0%", "+2%"]
    );
}

#[test]
fn values_take_the_unit_of_their_size() {
    for (unit, number, expected) in [
        (Unit::Ns, 812.0, "812 ns"),
        (Unit::Ns, 2_130.0, "2.13 µs"),
        (Unit::Ns, 999_960.0, "1.00 ms"),
        (Unit::Ns, 1_234_567_890.0, "1.23 s"),
        (Unit::Ns, 0.0, "0 ns"),
        (Unit::Ns, -1.0, "-1 ns"),
        (Unit::Ns, 81.25, "81 ns"),
        (Unit::Joules, 0.001_234, "1.23 mJ"),
        (Unit::Joules, 0.000_081_2, "81.2 µJ"),
        (Unit::Watts, 412.6, "413 W"),
        (Unit::Bytes, 1_574_542.0, "1.50 MiB"),
        (Unit::Bytes, 512.0, "512 B"),
        (Unit::Ratio, 0.988, "98.8%"),
        (Unit::Ratio, 1.361e42, "1.36e44%"),
        (Unit::PerSec, 999_000_000_000.0, "999,000,000,000/s"),
    ] {
        assert_eq!(value(unit, number, None), expected);
    }
}

#[test]
fn a_wide_interval_costs_digits() {
    assert_eq!(
        with_interval(Unit::Ns, 2_134_567.0, interval(2_104_000.0, 2_161_000.0)),
        "2.13 ms (2.10 to 2.16)"
    );
    assert_eq!(
        with_interval(Unit::Ns, 2_134_567.0, interval(1_700_000.0, 2_600_000.0)),
        "2.1 ms (1.7 to 2.6)"
    );
    assert_eq!(
        value(
            Unit::Ns,
            2_134_567.0,
            Some(interval(2_134_000.0, 2_135_000.0))
        ),
        "2.135 ms"
    );
    assert_eq!(
        with_interval(Unit::Ratio, 0.988, interval(0.976, 0.994)),
        "98.8% (97.6 to 99.4)"
    );
}

#[test]
fn sizes_stand_in_the_multiples_that_a_budget_has() {
    assert_eq!(decimal_size(2_730_000.0, None), "2.73 MB");
    assert_eq!(value(Unit::Bytes, 2_730_000.0, None), "2.60 MiB");
    assert_eq!(
        decimal_size(30_000_000.0, Some(interval(29_800_000.0, 30_100_000.0))),
        "30.0 MB (29.8 to 30.1)"
    );
}

#[test]
fn bounds_are_rounded_away_from_what_they_bound() {
    let wide = interval(132_000.0, 351_200.0);
    let narrow = interval(101_000.0, 102_410.0);
    for (shown, expected) in [
        (at_most(Unit::Ns, 351_200.0, Some(wide)), "≤ 360 µs"),
        (at_most(Unit::Ns, 102_410.0, Some(narrow)), "≤ 102.5 µs"),
        (at_most(Unit::Ns, 340_000.0, None), "≤ 340 µs"),
        (at_most(Unit::Ns, 999_900.0, None), "≤ 1.0 ms"),
        (at_most(Unit::Ns, 7.0, None), "≤ 7 ns"),
        (at_least(Unit::Ns, 351_200.0), "≥ 350 µs"),
    ] {
        assert_eq!(shown, expected);
    }
}

#[test]
fn an_end_that_is_many_times_the_value_has_no_more_digits_than_it() {
    assert_eq!(
        with_interval(Unit::Ns, 169_000.0, interval(132_000.0, 8_312_000.0)),
        "170 µs (130 to 8,300)"
    );
}

#[test]
fn rates_have_separators_and_no_false_digits() {
    assert_eq!(
        with_interval(Unit::PerSec, 12_345.6, interval(12_100.0, 12_600.0)),
        "12,300/s (12,100 to 12,600)"
    );
    assert_eq!(
        with_half_width(Unit::PerSec, 12_345.6, interval(12_100.0, 12_600.0)),
        "12,300/s ± 2.1%"
    );
    assert_eq!(with_half_width(Unit::Ns, 0.0, interval(0.0, 0.0)), "0 ns");
}

#[test]
fn factors_and_points_are_short() {
    for (low, high, shown) in [
        (2.0, 2.2, "2.1x (2.0 to 2.2)"),
        (2.08, 2.13, "2.10x (2.08 to 2.13)"),
        (1.5, 2.9, "2.1x (1.5 to 2.9)"),
        (2.103, 2.105, "2.104x (2.103 to 2.105)"),
    ] {
        assert_eq!(times(2.104, Some(interval(low, high))), shown);
    }
    assert_eq!(factor(3.861, None), "3.9");
    assert_eq!(points(-0.0034), "-0.3 points");
    assert_eq!(points(-0.0001), "±0.0 points");
}

#[test]
fn ratios_are_factors_in_one_form_whatever_their_size_and_direction() {
    for (ratio, ends, ways, expected) in [
        (
            0.952,
            Some((0.94, 0.9654)),
            Ways::TIME,
            "1.05x faster (1.04 to 1.06)",
        ),
        (
            1.05,
            Some((1.03, 1.07)),
            Ways::TIME,
            "1.05x slower (1.03 to 1.07)",
        ),
        (
            2.104,
            Some((2.04, 2.16)),
            Ways::RATE,
            "2.10x faster (2.04 to 2.16)",
        ),
        (0.25, None, Ways::SIZE, "4.0x smaller"),
        (1.043, None, Ways::TIME, "1.04x slower"),
        (1.0, None, Ways::SIZE, "unchanged"),
        (
            1.001,
            Some((0.98, 1.02)),
            Ways::TIME,
            "1.00x (0.98 to 1.02)",
        ),
        (0.48, None, Ways::AMOUNT, "2.1x lower"),
    ] {
        let ends = ends.map(|(low, high)| interval(low, high));
        assert_eq!(relative(ratio, ends, ways), expected);
    }
}

#[test]
fn shares_are_not_rounded_away() {
    assert_eq!(
        [0.0, 0.004, 0.5, 0.996, 1.0].map(about_percent),
        ["0%", "less than 1%", "50%", "more than 99%", "100%"]
    );
}
