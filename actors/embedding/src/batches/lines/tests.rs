use super::*;

/// A number of tokens and whether it is wanted.
#[derive(Debug, PartialEq, Eq)]
struct Item(usize, bool);

impl Waiting for Item {
    fn length(&self) -> usize {
        self.0
    }

    fn is_wanted(&self) -> bool {
        self.1
    }
}

const ONE: NonZeroUsize = NonZeroUsize::MIN;

fn lines(urgent: &[usize], others: &[usize]) -> Lines<Item> {
    let mut lines = Lines::default();
    lines.extend(Urgency::Bulk, others.iter().map(|&length| Item(length, true)));
    lines.extend(Urgency::Interactive, urgent.iter().map(|&length| Item(length, true)));
    lines
}

fn next(lines: &mut Lines<Item>, most: usize, threads: NonZeroUsize) -> Option<(Urgency, Vec<usize>)> {
    let (urgency, batch) = lines.take(most, threads)?;
    Some((urgency, batch.into_iter().map(|item| item.0).collect()))
}

#[test]
fn what_is_urgent_overtakes_what_came_before() {
    let mut lines = lines(&[30, 10, 90], &[5, 5]);
    assert_eq!(next(&mut lines, 100, ONE), Some((Urgency::Interactive, vec![10, 30])));
    assert_eq!(next(&mut lines, 10, ONE), Some((Urgency::Interactive, vec![90])), "one text at least");
    assert_eq!(next(&mut lines, 100, ONE), Some((Urgency::Bulk, vec![5, 5])));
    assert_eq!(next(&mut lines, 100, ONE), None);
}

#[test]
fn a_batch_is_a_thread_s_share() {
    let two = NonZeroUsize::new(2).unwrap();
    let mut lines = lines(&[], &[10; 8]);
    for count in [4, 2, 1, 1] {
        assert_eq!(next(&mut lines, 100, two), Some((Urgency::Bulk, vec![10; count])));
    }
    assert_eq!(next(&mut lines, 100, two), None);
}

#[test]
fn what_is_not_urgent_has_its_turn() {
    let mut lines = lines(&[10; 40], &[10; 3]);
    let mut urgencies = Vec::new();
    while let Some((urgency, _)) = next(&mut lines, 10, ONE) {
        urgencies.push(urgency);
    }
    let turns: Vec<usize> =
        (0..).zip(&urgencies).filter(|(_, u)| **u == Urgency::Bulk).map(|(n, _)| n).collect();
    assert_eq!((turns, urgencies.len()), (vec![8, 17, 26], 43));
}

#[test]
fn what_nobody_wants_is_left_out() {
    let mut lines = Lines::default();
    lines.extend(Urgency::Interactive, [Item(10, false), Item(20, true), Item(30, false)]);
    lines.extend(Urgency::Bulk, [Item(10, false)]);
    assert_eq!(next(&mut lines, 100, ONE), Some((Urgency::Interactive, vec![20])));
    assert_eq!(next(&mut lines, 100, ONE), None);
}
