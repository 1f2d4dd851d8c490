use proptest::prelude::*;
use tandem_domain::document::{DocumentKind, ParsedVersion};

use crate::structure::tests::read;

/// What may differ between two people without any effect on a ranking.
#[derive(Debug, Clone)]
struct Person {
    name: &'static str,
    first: &'static str,
    mail: &'static str,
    address: &'static str,
    born: &'static str,
    he: &'static str,
    his: &'static str,
    mr: &'static str,
    graduated: i32,
    personal: &'static str,
}

const PEOPLE: [Person; 7] = [
    Person {
        name: "Jane Doe",
        first: "Jane",
        mail: "jane.doe@example.com",
        address: "12 High Street, London SW1A 1AA",
        born: "1 May 1990",
        he: "She",
        his: "her",
        mr: "Ms.",
        graduated: 2012,
        personal: "Single, Christian, British",
    },
    Person {
        name: "Mohammed Al-Rashid",
        first: "Mohammed",
        mail: "m.alrashid@example.org",
        address: "Villa 7, Jumeirah, Dubai",
        born: "12/03/1985",
        he: "He",
        his: "his",
        mr: "Mr.",
        graduated: 2007,
        personal: "Married, two children",
    },
    Person {
        name: "Anne-Marie Kowalska",
        first: "Anne-Marie",
        mail: "amk@example.net",
        address: "ul. Prosta 5, Warsaw",
        born: "7 July 2001",
        he: "They",
        his: "their",
        mr: "Mx.",
        graduated: 2024,
        personal: "-",
    },
    Person {
        name: "Nguyen Thi Minh Lan",
        first: "Lan",
        mail: "lan.nguyen@example.com",
        address: "5 Elm Avenue, Seattle, WA 98101",
        born: "1979",
        he: "She",
        his: "her",
        mr: "Mrs.",
        graduated: 2001,
        personal: "Buddhist",
    },
    Person {
        name: "Grace Young",
        first: "Grace",
        mail: "grace.young@example.com",
        address: "Flat 3, Leeds",
        born: "3 March 1995",
        he: "She",
        his: "her",
        mr: "Miss",
        graduated: 2017,
        personal: "Divorced",
    },
    Person {
        name: "Seán O'Neill",
        first: "Seán",
        mail: "soneill@example.ie",
        address: "1 Quay Road, Cork",
        born: "30.11.1968",
        he: "He",
        his: "his",
        mr: "Mr",
        graduated: 1990,
        personal: "Irish",
    },
    Person {
        name: "Ruby Chen",
        // Alone, a first name that is a skill's name is taken for the skill: a known limit.
        first: "Ruby Chen",
        mail: "ruby@example.com",
        address: "9 Lake Drive, Toronto",
        born: "2000-01-02",
        he: "She",
        his: "her",
        mr: "Ms",
        graduated: 2021,
        personal: "Canadian",
    },
];

fn resume(person: &Person) -> String {
    let Person { name, first, mail, address, born, he, his, mr, graduated, personal } = person;
    let start = graduated - 4;
    format!(
        "# {name}
Senior Data Engineer
{mail} | +44 20 5555 0147 | {address} | linkedin.com/in/{}
## Summary
{mr} {name} has led data teams. {he} builds pipelines in Python and Ruby, and {his} teams like {his} reviews.
## Experience
*Senior Data Engineer\tMar 2019 – Present
Harbor Freight Analytics Ltd, Bristol
- Moved 40 jobs to Apache Airflow; the young team of {first} saved $1M with grace.
- Contact {name} at {mail} for a demo.
*Data Analyst\tJan 2016 – Feb 2019
Bramble Retail Group, Leeds
- SQL and Tableau reports for 12 stores.
## Education
BSc Statistics, University of Wexcombe\t{start} – {graduated}
Graduated in {graduated} with first-class honours
## Skills
Python, SQL, Apache Airflow, dbt, Ruby
## Languages
English (native), Spanish (B2)
## Personal details
Date of birth: {born}
Marital status: {personal}
Nationality: {personal}
## References
{name}'s former manager, on request
",
        name.to_lowercase().replace([' ', '\''], "-")
    )
}

/// The parts of a Profile that a score may see.
fn ranked_part(parsed: &ParsedVersion) -> String {
    let profile = &parsed.profile;
    let work: Vec<_> = profile
        .work
        .iter()
        .map(|work| {
            (work.occupation, work.start, work.end, work.current, work.internship, work.skills.clone())
        })
        .collect();
    let skills: Vec<_> = profile
        .skills
        .iter()
        .map(|skill| {
            (skill.id, skill.section, skill.months, skill.last_used, skill.confidence, skill.spans.len())
        })
        .collect();
    let education: Vec<_> = profile
        .education
        .iter()
        .map(|entry| (entry.level, entry.field.as_ref().map(|field| field.value.clone())))
        .collect();
    let languages: Vec<_> = profile.languages.iter().map(|spoken| (spoken.language, spoken.level)).collect();
    let certificates: Vec<_> = profile.certificates.iter().map(|found| found.value.clone()).collect();
    let label = profile.basics.label.as_ref().map(|label| label.value.clone());
    format!(
        "{work:?}\n{skills:?}\n{education:?}\n{languages:?}\n{certificates:?}\n{label:?}\n{} {:?}",
        profile.months_total,
        profile.claimed_months.as_ref().map(|claim| claim.value)
    )
}

#[test]
fn invariant_8_people_who_differ_in_protected_facts_only_rank_alike() {
    let first = read(&resume(&PEOPLE[0]), DocumentKind::Resume);
    for person in &PEOPLE {
        let parsed = read(&resume(person), DocumentKind::Resume);
        assert_eq!(
            parsed.profile.basics.name.as_ref().map(|name| name.value.as_str()),
            Some(person.name),
            "the name is found"
        );
        assert_eq!(parsed.ranked_text, first.ranked_text, "{}", person.name);
        assert_eq!(ranked_part(&parsed), ranked_part(&first), "{}", person.name);
    }
}

#[test]
fn what_is_said_of_work_stays() {
    let ranked = read(&resume(&PEOPLE[4]), DocumentKind::Resume).ranked_text;
    for kept in [
        "Senior Data Engineer",
        "Apache Airflow",
        "the young team",
        "with grace",
        "University of Wexcombe",
        "Ruby",
    ] {
        assert!(ranked.contains(kept), "{kept} in {ranked}");
    }
    for gone in [
        "Grace", "Young", "@", "example", "linkedin", "0147", "Leeds, ", "1995", "2017", "Divorced", "She",
        " her ",
    ] {
        assert!(!ranked.contains(gone), "{gone} in {ranked}");
    }
}

fn arabic(name: &str, title: &str, verb: &str, born: &str, year: u32) -> String {
    format!(
        "# {name}\n{title}\nname@example.com | عمّان، الأردن\n## نبذة\n{title} بخبرة طويلة، {name} {verb} في شركة كبرى.\n## الخبرات\n*{title}\tآذار 2019 – حتى الآن\nشركة سنديان للحلول، عمّان\n- تطوير واجهات بلغة JavaScript.\n## التعليم\nبكالوريوس علوم الحاسوب، جامعة الوادي\t{} – {year}\n## معلومات شخصية\nتاريخ الميلاد: {born}\nالحالة الاجتماعية: متزوج\n",
        year - 4
    )
}

#[test]
fn invariant_8_arabic_names_and_genders_rank_alike() {
    let first = read(&arabic("ليلى حسن منصور", "مهندسة برمجيات", "تعمل", "1990", 2012), DocumentKind::Resume);
    for (name, title, verb) in [
        ("خالد النجار", "مهندس برمجيات", "يعمل"),
        ("عبد الرحمن بن سعيد القحطاني", "مهندس برمجيات", "يعمل"),
        ("Rania Haddad", "مهندسة برمجيات", "تعمل"),
    ] {
        let other = read(&arabic(name, title, verb, "1/2/1988", 2009), DocumentKind::Resume);
        assert_eq!(other.ranked_text, first.ranked_text, "{name}");
        assert_eq!(other.profile.work[0].occupation, first.profile.work[0].occupation);
        assert!(first.profile.work[0].occupation.is_some());
        assert_eq!(other.profile.months_total, first.profile.months_total);
    }
}

#[test]
fn handles_possessives_and_titles_go_too() {
    let text = |name: &str, handle: &str, possessive: &str| {
        format!(
            "# {name}\nAccountant\nx@example.com\n## Summary\n{possessive} books are clean. Find {handle} online.\n## Skills\nExcel, SAP\n"
        )
    };
    let one = read(&text("Karla Brennt", "karlabrennt", "Karla's"), DocumentKind::Resume);
    let other = read(&text("Tobias Maria Winz", "twinz", "Mr. Winz'"), DocumentKind::Resume);
    assert_eq!(one.ranked_text, other.ranked_text);
    assert!(one.ranked_text.contains("books are clean"), "{}", one.ranked_text);
}

#[test]
fn a_job_keeps_the_work_and_drops_the_rest() {
    let parsed = read(
        "# Accountant\nBrightwater Inc. – Columbus, Ohio\n## About us\nWe are a family since 1901.\n## Requirements\n- GAAP and Excel for Brightwater Inc. reports.\n- Brightwater is an equal opportunity employer without regard to race, color or religion.\n- Send your CV to jobs@example.com or call +1 614 555 0199.\n## Benefits\nDental, $60,000 a year.\n",
        DocumentKind::Job,
    );
    assert_eq!(parsed.ranked_text, "Accountant\nGAAP and Excel for reports.");
}

#[test]
fn nothing_is_left_of_an_empty_document() {
    assert_eq!(read("", DocumentKind::Resume).ranked_text, "");
    assert_eq!(read("", DocumentKind::Job).ranked_text, "");
}

fn name_word() -> impl Strategy<Value = String> {
    // Made-up words that mean nothing else: what also means something is tested by hand above.
    "[BDFGKVZ][aeiou][dklmnrstvz][aeiou][dkvz][aeiou]x"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn invariant_8_any_name_address_and_year_give_the_same_bytes(
        words in prop::collection::vec(name_word(), 2..=4),
        hyphen in any::<bool>(),
        number in 1_u32..999,
        graduated in 1975_i32..2025,
        day in 1_u32..28,
    ) {
        let mut name = words.join(" ");
        if hyphen {
            name = name.replacen(' ', "-", usize::from(words.len() > 2));
        }
        let first = words[0].clone();
        let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
        let person = Person {
            first: leak(if hyphen && words.len() > 2 { format!("{}-{}", words[0], words[1]) } else { first }),
            mail: leak(format!("{}@example.com", words[1].to_lowercase())),
            address: leak(format!("{number} {} Road, London", words[1])),
            born: leak(format!("{day} May 1991")),
            name: leak(name),
            graduated,
            ..PEOPLE[0].clone()
        };
        let parsed = read(&resume(&person), DocumentKind::Resume);
        let base = read(&resume(&PEOPLE[0]), DocumentKind::Resume);
        prop_assert_eq!(&parsed.ranked_text, &base.ranked_text);
        prop_assert_eq!(ranked_part(&parsed), ranked_part(&base));
    }
}
