//! Names beside marks, placed so that none covers another name or a mark.
//!
//! The script of the page places them by the same rule, for as wide as the page is.

use ::svg::node::element::{Group, Line, Text};

use super::canvas::{CHARACTER, Canvas, NamedMark, Point, TEXT, round};

const HEIGHT: f64 = 14.0;

/// Between the edges of marks and their names, from the nearest to the farthest that is tried.
const DISTANCES: [f64; 7] = [3.0, 14.0, 28.0, 44.0, 62.0, 84.0, 110.0];

/// Beyond this distance a line joins them.
const NEAR: f64 = 10.0;

/// From a mark to its name; the first that is free is taken.
const WAYS: [Way; 8] = [
    Way {
        right: 0.0,
        down: -1.0,
    },
    Way {
        right: 1.0,
        down: 0.0,
    },
    Way {
        right: -1.0,
        down: 0.0,
    },
    Way {
        right: 0.0,
        down: 1.0,
    },
    Way {
        right: 1.0,
        down: -1.0,
    },
    Way {
        right: 1.0,
        down: 1.0,
    },
    Way {
        right: -1.0,
        down: 1.0,
    },
    Way {
        right: -1.0,
        down: -1.0,
    },
];

#[derive(Clone, Copy)]
struct Way {
    right: f64,
    down: f64,
}

#[derive(Clone, Copy)]
struct Area {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Area {
    fn around(centre: Point, width: f64, height: f64) -> Self {
        Area {
            left: centre.x - width / 2.0,
            right: centre.x + width / 2.0,
            top: centre.y - height / 2.0,
            bottom: centre.y + height / 2.0,
        }
    }

    fn overlaps(self, other: Area) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    fn holds(self, other: Area) -> bool {
        self.left <= other.left
            && other.right <= self.right
            && self.top <= other.top
            && other.bottom <= self.bottom
    }
}

/// Names of the marks of a chart that have them.
pub(super) fn names(canvas: &Canvas<'_>) -> Group {
    let marks = canvas.named_marks();
    let room = Area {
        left: canvas.left,
        right: canvas.right,
        top: canvas.top,
        bottom: canvas.bottom,
    };
    let mut taken: Vec<Area> = marks
        .iter()
        .map(|mark| Area::around(mark.at, mark.size, mark.size))
        .collect();
    let mut group = Group::new().set("fill", TEXT);
    for mark in &marks {
        let place = place(mark, room, &taken);
        taken.push(Area::around(place.centre, width(mark.name), HEIGHT));
        group = group.add(text(mark.name, place.centre));
        if place.distance > NEAR {
            group = group.add(leader(mark.at, place.edge));
        }
    }
    group
}

struct Place {
    centre: Point,
    /// Where a line from the mark ends.
    edge: Point,
    distance: f64,
}

fn width(name: &str) -> f64 {
    CHARACTER * name.chars().count() as f64
}

/// The first free place, or the nearest one where there is none.
fn place(mark: &NamedMark<'_>, room: Area, taken: &[Area]) -> Place {
    let is_free = |place: &Place| {
        let own = Area::around(place.centre, width(mark.name), HEIGHT);
        room.holds(own) && !taken.iter().any(|other| own.overlaps(*other))
    };
    DISTANCES
        .into_iter()
        .flat_map(|distance| WAYS.map(|way| candidate(mark, way, distance)))
        .find(is_free)
        .unwrap_or_else(|| candidate(mark, WAYS[0], DISTANCES[0]))
}

fn candidate(mark: &NamedMark<'_>, way: Way, distance: f64) -> Place {
    let away = mark.size / 2.0 + distance;
    let edge = Point::new(mark.at.x + way.right * away, mark.at.y + way.down * away);
    Place {
        centre: Point::new(
            edge.x + way.right * width(mark.name) / 2.0,
            edge.y + way.down * HEIGHT / 2.0,
        ),
        edge,
        distance,
    }
}

fn text(name: &str, centre: Point) -> Text {
    Text::new(name)
        .set("x", round(centre.x))
        .set("y", round(centre.y + 4.0))
        .set("text-anchor", "middle")
}

fn leader(from: Point, to: Point) -> Line {
    Line::new()
        .set("x1", round(from.x))
        .set("y1", round(from.y))
        .set("x2", round(to.x))
        .set("y2", round(to.y))
        .set("stroke", "#999999")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_marks_on_one_spot_stand_apart() {
        let room = Area {
            left: 0.0,
            right: 600.0,
            top: 0.0,
            bottom: 300.0,
        };
        let names: Vec<String> = (0..10)
            .map(|number| format!("variant-number-{number}"))
            .collect();
        let mut taken = vec![Area::around(Point::new(300.0, 20.0), 12.0, 12.0)];
        for name in &names {
            let mark = NamedMark {
                at: Point::new(300.0, 20.0),
                size: 12.0,
                name,
            };
            let own = Area::around(place(&mark, room, &taken).centre, width(name), HEIGHT);
            assert!(room.holds(own), "{name} is cut");
            assert!(
                !taken.iter().any(|other| own.overlaps(*other)),
                "{name} covers another"
            );
            taken.push(own);
        }
    }
}
