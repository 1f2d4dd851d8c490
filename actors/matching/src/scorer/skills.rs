//! Coverage of the skills asked for.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use tandem_domain::profile::RequirementLevel;
use tandem_domain::ranked::{AskedSkill, RankedProfile, RankedSkill};
use tandem_domain::score::{BASIS, CategoryState, Points, Score, SkillEvidence};
use tandem_domain::taxonomy::{FULL_STRENGTH, SkillId, Taxonomy};

use super::{interpolate, months, share};

/// Points per percent of strength for a skill that is only related to the one asked for: a strength of 70 stays under
/// [`SkillEvidence::FOUND_FROM`], one of 80 reaches it.
const RELATED_CREDIT: Points = 70;
/// What of a skill's credit depends on the months asked for, in parts of 10_000. The rest is for having it at all.
const MONTHS_SHARE: Points = 3_000;
/// Credit by months since the last dated use, in parts of 10_000. Mild, so that recency never dominates; a skill with
/// no dated use stands at the low end, so that showing its use never costs anything.
const RECENCY: [(i32, Points); 2] = [(24, BASIS), (120, NO_DATED_USE)];
const NO_DATED_USE: Points = 9_000;
/// What of the category hangs on the musts, in parts of 10_000: with none of them, coverage counts half.
const MUST_SHARE: Points = 5_000;

/// How much a requirement weighs beside others.
pub(super) const fn importance(level: RequirementLevel) -> i64 {
    match level {
        RequirementLevel::Must => 8,
        RequirementLevel::Required => 5,
        RequirementLevel::Preferred => 2,
        RequirementLevel::Nice => 1,
    }
}

/// What is asked for and what was found of it.
pub(super) struct Coverage {
    /// The requirements in the job's order.
    asked: Vec<AskedSkill>,
    /// Equal requirements counted once: asking twice for the same thing weighs no more than asking once.
    groups: BTreeMap<Vec<SkillId>, Group>,
    sums: Sums,
}

struct Group {
    level: RequirementLevel,
    months: u32,
    credit: Score,
    by: Option<SkillId>,
}

/// What the category's points follow from.
#[derive(Clone, Copy, Default)]
struct Sums {
    /// `Σ importance · credit`.
    credit: i64,
    /// `Σ importance`.
    whole: i64,
    /// `Σ credit` of the musts.
    must_credit: i64,
    /// How many musts there are.
    musts: i64,
}

impl Sums {
    fn add(&mut self, level: RequirementLevel, credit: Score) {
        self.raise(level, credit.points());
        self.whole += importance(level);
        self.musts += i64::from(level == RequirementLevel::Must);
    }

    /// More credit for a requirement that is counted already.
    fn raise(&mut self, level: RequirementLevel, by: Points) {
        self.credit += importance(level) * i64::from(by);
        if level == RequirementLevel::Must {
            self.must_credit += i64::from(by);
        }
    }

    fn points(self) -> Score {
        let coverage = Score::clamped(self.credit / self.whole.max(1)).points();
        let musts =
            if self.musts == 0 { BASIS } else { Score::clamped(self.must_credit / self.musts).points() };
        Score::clamped(i64::from(share(coverage, BASIS - MUST_SHARE + share(musts, MUST_SHARE))))
    }
}

impl Coverage {
    /// Compares both. A job that states no requirement asks for the skills it mentions.
    pub(super) fn of(job: &RankedProfile, resume: &RankedProfile) -> Self {
        let asked = requirements(job);
        let mut groups: BTreeMap<Vec<SkillId>, Group> = BTreeMap::new();
        for one in &asked {
            let group = groups.entry(one.any_of.clone()).or_insert(Group {
                level: one.level,
                months: 0,
                credit: Score::ZERO,
                by: None,
            });
            group.level = group.level.max(one.level);
            group.months = group.months.max(one.months.unwrap_or(0));
        }
        let held = held(resume);
        let mut sums = Sums::default();
        for (any_of, group) in &mut groups {
            (group.credit, group.by) = best(any_of, group.months, &held);
            sums.add(group.level, group.credit);
        }
        Self { asked, groups, sums }
    }

    /// Never unknown: what a résumé does not name, nobody can find in it. So one more skill never lowers a score, and
    /// a document of which nothing could be read never comes first.
    pub(super) fn state(&self) -> CategoryState {
        if self.groups.is_empty() {
            CategoryState::NotAsked
        } else {
            CategoryState::Known(self.sums.points())
        }
    }

    /// One entry per requirement; `total` gives the pair's score for other points in this category.
    pub(super) fn into_evidence(self, total: impl Fn(Score) -> Score) -> Vec<SkillEvidence> {
        let Self { asked, groups, sums } = self;
        asked
            .into_iter()
            .filter_map(|AskedSkill { any_of, level, .. }| {
                let group = groups.get(&any_of)?;
                let mut met = sums;
                met.raise(group.level, BASIS - group.credit.points());
                Some(SkillEvidence {
                    credit: group.credit,
                    by: group.by,
                    total_if_met: total(met.points()),
                    any_of,
                    level,
                })
            })
            .collect()
    }
}

/// What the job asks for, alternatives sorted and each once.
fn requirements(job: &RankedProfile) -> Vec<AskedSkill> {
    let stated = job.asked.as_ref().map_or(&[][..], |asked| &asked.skills);
    if stated.is_empty() {
        let mut mentioned: Vec<SkillId> = job.skills.iter().map(|skill| skill.id).collect();
        mentioned.sort_unstable();
        mentioned.dedup();
        let asked = |id| AskedSkill { any_of: vec![id], level: RequirementLevel::Required, months: None };
        return mentioned.into_iter().map(asked).collect();
    }
    let mut asked: Vec<AskedSkill> = stated.iter().filter(|one| !one.any_of.is_empty()).cloned().collect();
    for one in &mut asked {
        one.any_of.sort_unstable();
        one.any_of.dedup();
    }
    asked
}

/// The skills of a résumé by id. One that is listed twice has the better of both uses, never their sum.
fn held(resume: &RankedProfile) -> BTreeMap<SkillId, RankedSkill> {
    let mut held: BTreeMap<SkillId, RankedSkill> = BTreeMap::new();
    for skill in &resume.skills {
        let known = held.entry(skill.id).or_insert(*skill);
        known.months = known.months.max(skill.months);
        known.unused_for = known.unused_for.into_iter().chain(skill.unused_for).min();
    }
    held
}

/// The best credit that any held skill earns for any of the alternatives, and which one earned it. Between equal
/// credits one that was asked for by name wins, then the nearer one, then the first in order.
fn best(any_of: &[SkillId], asked: u32, held: &BTreeMap<SkillId, RankedSkill>) -> (Score, Option<SkillId>) {
    any_of
        .iter()
        .flat_map(|wanted| NEIGHBORS.get(wanted.index()).into_iter().flatten())
        .filter_map(|&(from, strength)| Some((credit(held.get(&from)?, strength, asked), from, strength)))
        .max_by_key(|&(credit, from, strength)| (credit, any_of.contains(&from), strength, Reverse(from)))
        .map_or((Score::ZERO, None), |(credit, from, _)| (credit, Some(from)))
}

/// The credit of one held skill. What is asked for by name or implied keeps at least
/// `(BASIS - MONTHS_SHARE) · NO_DATED_USE` = 63 %, whatever its use.
fn credit(held: &RankedSkill, strength: u8, asked: u32) -> Score {
    let nearness =
        if strength >= FULL_STRENGTH { BASIS } else { Points::from(strength).saturating_mul(RELATED_CREDIT) };
    let used = Score::ratio(i64::from(held.months), i64::from(asked)).points();
    let practice = BASIS - MONTHS_SHARE + share(MONTHS_SHARE, used);
    let recency = held.unused_for.map_or(NO_DATED_USE, |ago| interpolate(&RECENCY, months(ago)));
    Score::clamped(i64::from(share(share(nearness, practice), recency)))
}

/// By the index of a skill asked for: every skill that counts for it, itself among them, with its strength in percent.
static NEIGHBORS: LazyLock<Vec<Vec<(SkillId, u8)>>> = LazyLock::new(|| {
    let taxonomy = Taxonomy::builtin();
    let mut near: Vec<BTreeMap<SkillId, u8>> = vec![BTreeMap::new(); taxonomy.skills().len()];
    let mut link = |from: SkillId, to: SkillId| {
        if let Some(sources) = near.get_mut(to.index()) {
            sources.insert(from, taxonomy.related_strength(from, to));
        }
    };
    for skill in taxonomy.skills() {
        link(skill.id, skill.id);
        for &implied in taxonomy.implied_closure(skill.id) {
            link(skill.id, implied);
        }
        for &(other, _) in &skill.related {
            link(skill.id, other);
            link(other, skill.id);
        }
    }
    near.into_iter().map(|sources| sources.into_iter().collect()).collect()
});
