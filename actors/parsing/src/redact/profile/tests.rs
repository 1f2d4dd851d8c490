use tandem_domain::document::DocumentKind;
use tandem_domain::profile::{Basics, Sourced, Span};

use super::*;
use crate::structure::tests::read;

const ENGLISH: &str = "# Mirabel Quenneville
Senior Data Engineer
mirabel.q@example.com | +44 20 5555 0147 | 12 High Street, London SW1A 1AA | linkedin.com/in/mirabel-quenneville
## Summary
Mirabel Quenneville builds pipelines in Python. Write to mirabel.q@example.com or call +44 20 5555 0147.
## Experience
*Senior Data Engineer\tMar 2019 – Present
Harbor Freight Analytics Ltd, Bristol
- Moved 40 jobs to Apache Airflow; Quenneville's team saved $1M.
- See https://mirabel.example.com/talks for a demo by Mirabel.
## Education
BSc Statistics, University of Wexcombe\t2008 – 2012
## Skills
Python, SQL, Apache Airflow
## Personal details
Date of birth: 1 May 1990
Nationality: British
";

const ARABIC: &str = "# ليلى الزهراني
مهندسة برمجيات
layla.z@example.com | +966 55 555 0147
## الملخص
ليلى الزهراني مهندسة برمجيات تعمل بلغة Python. البريد layla.z@example.com والهاتف +966 55 555 0147
## الخبرة العملية
*مهندسة برمجيات\t2019 - 2023
شركة الواحة
- قادت الزهراني فريقا من ستة مهندسين على Python
## المهارات
Python, SQL
## البيانات الشخصية
تاريخ الميلاد: 1990/05/01
";

fn texts(profile: &Profile) -> String {
    let mut texts: Vec<String> = profile.summary.iter().map(|summary| summary.value.clone()).collect();
    for work in &profile.work {
        texts.extend(work.highlights.iter().cloned());
        texts.extend(
            [&work.title, &work.organization, &work.location].into_iter().flatten().map(|v| v.value.clone()),
        );
    }
    texts.join("\n")
}

#[test]
fn nobody_is_seen_in_a_redacted_profile() {
    let person: [(&str, &[&str], &[&str]); 2] = [
        (
            ENGLISH,
            &[
                "Mirabel",
                "Quenneville",
                "mirabel.q",
                "5555",
                "High Street",
                "SW1A",
                "linkedin",
                "1990",
                "British",
            ],
            &["builds pipelines in Python", "Apache Airflow", "saved $1M", "Harbor Freight Analytics"],
        ),
        (
            ARABIC,
            &["ليلى", "الزهراني", "layla", "0147", "1990"],
            &["مهندس برمجيات", "Python", "فريقا من ستة"],
        ),
    ];
    for (text, gone, kept) in person {
        let parsed = read(text, DocumentKind::Resume);
        assert!(parsed.profile.basics.name.is_some() && !parsed.profile.basics.emails.is_empty());
        assert!(!parsed.profile.basics.protected.is_empty());
        let redacted = redacted(&parsed.profile);
        let whole = serde_json::to_string(&redacted).unwrap();
        for word in gone {
            assert!(!whole.contains(word), "{word} is in {whole}");
        }
        let seen = texts(&redacted);
        for words in kept {
            assert!(seen.contains(words), "{words} is not in {seen}");
        }
        let label = redacted.basics.label.clone();
        assert!(label.is_some());
        assert_eq!(redacted.basics, Basics { label, ..Basics::default() });
    }
}

#[test]
fn what_is_said_of_work_stays_and_dates_of_study_go() {
    let parsed = read(ENGLISH, DocumentKind::Resume);
    let redacted = redacted(&parsed.profile);
    assert_eq!(redacted.skills, parsed.profile.skills);
    assert_eq!(redacted.months_total, parsed.profile.months_total);
    assert_eq!(redacted.work[0].start, parsed.profile.work[0].start);
    assert!(parsed.profile.education[0].end.is_some());
    assert_eq!((redacted.education[0].start, redacted.education[0].end), (None, None));
    assert_eq!(redacted.education[0].level, parsed.profile.education[0].level);
}

#[test]
fn a_profile_without_a_name_is_redacted_all_the_same() {
    let mut profile = read(ENGLISH, DocumentKind::Resume).profile;
    profile.basics = Basics::default();
    let summary = "Reach me at someone@example.org.\nI write Rust.".to_owned();
    profile.summary = Some(Sourced { value: summary, confidence: 80, span: Span::default() });
    let seen = redacted(&profile).summary.unwrap().value;
    assert!(!seen.contains("example.org") && seen.ends_with("\nI write Rust."), "{seen}");
}
