//! How a score comes about, in the words of somebody who has to answer for it.

use tandem_domain::score::{Category, Weights};

use super::super::MatchReport;
use super::{each, label};

/// The explanation, with the weights that this report was made with.
pub(super) fn section(report: &MatchReport) -> String {
    let rows = each(Category::ALL, |category| {
        let weight = weight(report, category);
        let (whole, rest) = (weight / 100, weight % 100);
        let percent = if rest == 0 { whole.to_string() } else { format!("{whole}.{rest:02}") };
        format!(
            r#"<tr><th scope="row">{}</th>
<td><div class="weight"><span class="bar" aria-hidden="true"><span style="width:{whole}.{rest:02}%"></span></span>
<span class="number">{percent} %</span></div></td><td>{}</td></tr>
"#,
            label(category),
            meaning(category),
        )
    });
    format!(
        r#"<section class="scoring" id="scoring" aria-labelledby="scoring-title">
<h2 id="scoring-title">How a score is made</h2>
<table>
<thead><tr><th scope="col">Category</th><th scope="col">Weight</th><th scope="col">What is compared</th></tr></thead>
<tbody>
{rows}</tbody></table>
<dl>
<div><dt>A weighted mean</dt><dd>Each category gives 0 to 100. The score is their mean by weight. What a job does not
ask for drops out, and the other weights share its place. Where a résumé says nothing about a category, the score
rests on the others, and the report says when too little is known. A skill that a résumé does not show counts as not
found.</dd></div>
<div><dt>Always the same</dt><dd>Scores are whole numbers computed by fixed rules. The same files give the same
scores, in any order and on any machine.</dd></div>
<div><dt>Blind</dt><dd>Name, age, birth date, gender, photo, address and year of graduation are removed before
anything is compared. They cannot change a score.</dd></div>
<div><dt>Points if present</dt><dd>Beside a skill that was not found stands what the score would gain if the résumé
showed it in full and all else stayed the same. It is computed, not estimated; two such gains need not add up. A skill
marked “via” is credited through a related one.</dd></div>
</dl></section>
"#
    )
}

/// The weight of a category in parts of 10_000: the report's own, or what applies where it holds nobody.
fn weight(report: &MatchReport, category: Category) -> u16 {
    let mut entries = report.jobs.iter().flat_map(|job| &job.people).flat_map(|person| &person.categories);
    let entry = entries.find(|entry| entry.category == category);
    entry.map_or_else(|| Weights::default().of(category), |entry| entry.weight)
}

const fn meaning(category: Category) -> &'static str {
    match category {
        Category::Skills => {
            "The skills the job asks for. A must weighs most, then required, preferred and nice to have. \
             Related skills and skills unused for long count in part."
        }
        Category::Title => "The job’s title against the titles held, recent ones first.",
        Category::Semantic => "How close the texts are in meaning, whatever their words.",
        Category::Experience => {
            "The length of work experience against what is asked; more than that adds nothing."
        }
        Category::Education => "Degree and field against what is asked.",
        Category::Languages => "Human languages and their levels against what is asked.",
    }
}
