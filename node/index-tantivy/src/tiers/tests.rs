use super::*;

fn whole(rows: u32) -> Fill {
    Fill { rows, living: rows }
}

#[test]
fn one_document_at_a_time_stays_cheap() {
    let (mut fills, mut rewritten, mut most) = (Vec::new(), 0u64, 0);
    let documents = 20_000;
    for _ in 0..documents {
        fills.push(whole(1));
        while let Some(places) = plan(&fills, false) {
            let rows = places.iter().map(|place| fills[*place].rows).sum();
            for place in places.into_iter().rev() {
                fills.remove(place);
            }
            fills.push(whole(rows));
            rewritten += u64::from(rows);
        }
        most = most.max(fills.len());
    }
    assert!(most <= 40, "{most} segments");
    assert!(rewritten / documents <= 16, "each document was rewritten {} times", rewritten / documents);
    assert_eq!(fills.iter().map(|fill| u64::from(fill.rows)).sum::<u64>(), documents);
}

#[test]
fn what_is_mostly_dead_is_rewritten_alone() {
    assert_eq!(plan(&[whole(5), Fill { rows: 100, living: 49 }, whole(700)], false), Some(vec![1]));
    assert_eq!(plan(&[whole(5), Fill { rows: 100, living: 50 }], false), None);
    assert_eq!(plan(&[], true), None);
}

#[test]
fn large_segments_wait_for_their_equals() {
    let mut fills = vec![whole(100_000)];
    fills.extend([whole(3); FAN_IN]);
    assert_eq!(plan(&fills, false), Some((1..=FAN_IN).collect()));
    assert_eq!(plan(&fills[..FAN_IN], false), None);
}

#[test]
fn at_rest_nothing_dead_stays() {
    let fills = [whole(5), Fill { rows: 100, living: 99 }, Fill { rows: 9, living: 8 }];
    assert_eq!(plan(&fills, true), Some(vec![1]));
    assert_eq!(plan(&fills, false), None);
    assert_eq!(plan(&[whole(5), whole(99)], true), None);
}
