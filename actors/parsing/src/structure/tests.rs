use proptest::prelude::*;
use tandem_domain::profile::{
    EducationLevel, LanguageLevel, Remote, RequirementLevel, SalaryPeriod, Seniority,
};

use super::*;
use crate::extract::MediaKind;

mod contexts;
mod jobs;

/// Lines in a small notation: `# ` heading 1, `## ` heading 2, `- ` bullet, `*` bold.
pub(crate) fn extracted(text: &str) -> Extracted {
    let lines = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (heading, line) = match line.split_once("# ") {
                Some(("", rest)) => (1, rest),
                Some(("#", rest)) => (2, rest),
                _ => (0, line),
            };
            let (bullet, line) = line.strip_prefix("- ").map_or((false, line), |rest| (true, rest));
            let (bold, line) = line.strip_prefix('*').map_or((false, line), |rest| (true, rest));
            Line { text: line.to_owned(), page: 1, heading, bullet, bold, ..Line::default() }
        })
        .collect();
    Extracted {
        media: MediaKind::Text,
        pages: 1,
        lines,
        links: Vec::new(),
        findings: Vec::new(),
        job_posting: None,
    }
}

pub(crate) fn read(text: &str, kind: DocumentKind) -> ParsedVersion {
    structure(&extracted(text), kind, None, Month::new(2026, 11).expect("month"))
}

fn value(sourced: &Option<Sourced<String>>) -> &str {
    sourced.as_ref().map_or("-", |sourced| sourced.value.as_str())
}

fn works(parsed: &ParsedVersion) -> Vec<String> {
    let month = |month: Option<Month>| month.map_or("?".to_owned(), |month| month.to_string());
    let works = parsed.profile.work.iter();
    works
        .map(|work| {
            let end = if work.current { "present".to_owned() } else { month(work.end) };
            let (title, organization) = (value(&work.title), value(&work.organization));
            format!("{title} @ {organization} @ {} {}..{end}", value(&work.location), month(work.start))
        })
        .collect()
}

const RESUME: &str = "# Mira Castellan
*Senior Backend Engineer
mira.castellan@example.com | +49 30 555 0134 | Berlin, Germany | github.com/mcastellan
## Summary
Backend engineer with nine years of experience in payments.
## Experience
*Senior Software Engineer\tMar 2021 – Present
Fernweh Pay GmbH, Berlin
- Wrote a ledger in Rust and PostgreSQL on Kubernetes.
- Moved reconciliation to Apache Kafka.
*Backend Engineer\tOct 2017 – Feb 2021
Kartenhaus Mobility AG, Hamburg
- Booking services in Go; a pricing engine in Rust.
*Software Engineering Intern\tJun 2016 – Aug 2016
Nordlicht Systems, Kiel
- Tests in Python.
## Education
M.Sc. Computer Science, Kiel University\t2013 – 2015
GPA 3.8/4.0
B.Sc. Computer Science, Kiel University\t2010 – 2013
## Skills
Rust, Go, SQL, Docker, C, R
## Languages
German (native), English (C1), French: basic
## Certifications
- Certified Kubernetes Administrator (CKA), 2022
";

#[test]
fn a_resume_is_read_whole() {
    let parsed = read(RESUME, DocumentKind::Resume);
    let profile = &parsed.profile;
    assert_eq!(value(&profile.basics.name), "Mira Castellan");
    assert_eq!(value(&profile.basics.label), "Senior Backend Engineer");
    assert_eq!(value(&profile.basics.location), "Berlin, Germany");
    assert_eq!(
        profile.basics.emails.first().map(|email| email.value.as_str()),
        Some("mira.castellan@example.com")
    );
    assert_eq!(profile.basics.phones.first().map(|phone| phone.value.as_str()), Some("+49 30 555 0134"));
    assert_eq!(profile.basics.urls.first().map(|url| url.value.as_str()), Some("github.com/mcastellan"));
    let expected = [
        "Senior Software Engineer @ Fernweh Pay GmbH @ Berlin 2021-03..present",
        "Backend Engineer @ Kartenhaus Mobility AG @ Hamburg 2017-10..2021-02",
        "Software Engineering Intern @ Nordlicht Systems @ Kiel 2016-06..2016-08",
    ];
    assert_eq!(works(&parsed)[..2], expected[..2]);
    assert!(
        profile.work[2].internship
            && works(&parsed)[2].starts_with("Software Engineering Intern @ Nordlicht")
    );
    // March 2021 to November 2026 and October 2017 to February 2021, both ends counted; the internship apart.
    assert_eq!(profile.months_total, 69 + 41);
    assert_eq!(profile.claimed_months.as_ref().map(|claim| claim.value), Some(108));
    assert_eq!(parsed.parser, PARSER);
    assert_eq!(profile.language.as_str(), "en");
}

#[test]
fn degrees_languages_and_certificates_are_read() {
    let profile = read(RESUME, DocumentKind::Resume).profile;
    let levels: Vec<_> = profile.education.iter().map(|entry| entry.level).collect();
    assert_eq!(levels, [Some(EducationLevel::Master), Some(EducationLevel::Bachelor)]);
    assert_eq!(value(&profile.education[0].field), "Computer Science");
    assert_eq!(value(&profile.education[0].institution), "Kiel University");
    assert_eq!(profile.education[0].grade.as_deref(), Some("3.8/4.0"));
    let languages: Vec<_> =
        profile.languages.iter().map(|spoken| (spoken.language.as_str(), spoken.level)).collect();
    let expected = [
        ("de", Some(LanguageLevel::Native)),
        ("en", Some(LanguageLevel::Fluent)),
        ("fr", Some(LanguageLevel::Basic)),
    ];
    assert_eq!(languages, expected);
    assert_eq!(profile.certificates[0].value, "Certified Kubernetes Administrator (CKA)");
}

#[test]
fn skills_know_their_months_and_ambiguous_names_their_place() {
    let profile = read(RESUME, DocumentKind::Resume).profile;
    let skill = |slug: &str| profile.skills.iter().find(|skill| skill.id.slug() == slug);
    assert_eq!(skill("rust").map(|skill| skill.months), Some(110));
    assert_eq!(skill("apache-kafka").map(|skill| skill.months), Some(69));
    assert_eq!(skill("go").map(|skill| skill.months), Some(41));
    assert_eq!(skill("docker").map(|skill| (skill.months, skill.section)), Some((0, SectionKind::Skills)));
    assert!(skill("c").is_some() && skill("r").is_some());
    let prose = read(
        "# Jo Bray\n## Summary\nI go far and excel at access to people in spring.\n",
        DocumentKind::Resume,
    );
    let named: Vec<_> = prose.profile.skills.iter().map(|skill| skill.id.slug()).collect();
    assert!(named.is_empty(), "{named:?}");
}

#[test]
fn an_employer_is_carried_down_and_freelance_has_none() {
    let parsed = read(
        "# Nia Brand\n## Work\nAcme Logistics Ltd, Leeds\n*Warehouse Manager\t2019 - 2022\n- Ran two sheds.\n*Shift Supervisor\t2016 - 2019\n- Led nights.\n*Freelance Translator\t2012 - 2014\n- Manuals.\n",
        DocumentKind::Resume,
    );
    let employers: Vec<_> = parsed.profile.work.iter().map(|work| value(&work.organization)).collect();
    assert_eq!(employers[1], "Acme Logistics Ltd");
    assert_eq!(employers[2], "-");
}

#[test]
fn an_arabic_resume_is_read() {
    let parsed = read(
        "# ليلى منصور\nمحاسبة أولى\nlayla@example.com | الرياض، السعودية\n## الخبرات العملية\n*محاسبة أولى\tآذار 2020 – حتى الآن\nشركة الواحة للتجارة، الرياض\n- إعداد القوائم المالية وضريبة القيمة المضافة.\n## التعليم\nبكالوريوس محاسبة\t2012 – 2016\nجامعة نجد\n## اللغات\nالعربية: اللغة الأم\nالإنجليزية: جيد جداً\n",
        DocumentKind::Resume,
    );
    let profile = &parsed.profile;
    assert_eq!(profile.language.as_str(), "ar");
    assert_eq!(value(&profile.basics.name), "ليلى منصور");
    assert_eq!(works(&parsed), ["محاسبة أولى @ شركة الواحة للتجارة @ الرياض 2020-03..present"]);
    assert_eq!(profile.work[0].occupation.map(|id| id.slug()), Some("accountant"));
    assert_eq!(profile.education[0].level, Some(EducationLevel::Bachelor));
    assert_eq!(profile.languages.len(), 2);
    assert!(profile.skills.iter().any(|skill| skill.id.slug() == "vat"));
}

#[test]
fn what_is_odd_is_told() {
    let kinds =
        |text: &str, kind| read(text, kind).findings.into_iter().map(|found| found.kind).collect::<Vec<_>>();
    assert!(
        kinds("The weather was fine.\nWe went home.", DocumentKind::Resume)
            .contains(&FindingKind::NotAResume)
    );
    assert!(kinds("The weather was fine.", DocumentKind::Job).contains(&FindingKind::NotAJob));
    assert!(kinds("The weather was fine.", DocumentKind::Resume).contains(&FindingKind::NoHeadings));
    let stuffed = format!("# Ann Lee\n## Skills\n{}", "python expert developer ".repeat(40));
    assert!(kinds(&stuffed, DocumentKind::Resume).contains(&FindingKind::KeywordStuffing));
    assert_eq!(kinds(RESUME, DocumentKind::Resume), []);
}

#[test]
fn bounds_hold_and_are_told() {
    let mut long = extracted("# A B\n## Skills\n");
    long.lines.push(Line { text: "é".repeat(MAX_LINE_BYTES), ..Line::default() });
    let parsed = structure(&long, DocumentKind::Resume, None, Month::EPOCH);
    assert!(parsed.text.len() < 2 * MAX_LINE_BYTES);
    assert!(parsed.findings.iter().any(|finding| finding.kind == FindingKind::Truncated));
}

/// Every span of the Profile lies on character boundaries inside the text.
fn check_spans(parsed: &ParsedVersion) {
    let json = serde_json::to_value(&parsed.profile).expect("a profile is serializable");
    let mut open = vec![&json];
    while let Some(node) = open.pop() {
        if let Some(span) = node
            .as_object()
            .filter(|node| node.len() == 2 && node.contains_key("start") && node.contains_key("end"))
            && let (Some(start), Some(end)) = (span["start"].as_u64(), span["end"].as_u64())
        {
            assert!(Span::new(start as u32, end as u32).of(&parsed.text).is_some(), "{start}..{end}");
        }
        open.extend(node.as_object().into_iter().flat_map(|node| node.values()));
        open.extend(node.as_array().into_iter().flatten());
    }
}

#[test]
fn spans_point_at_what_was_read() {
    let parsed = read(RESUME, DocumentKind::Resume);
    check_spans(&parsed);
    let name = parsed.profile.basics.name.as_ref().expect("name");
    assert_eq!(name.span.of(&parsed.text), Some("Mira Castellan"));
    for skill in &parsed.profile.skills {
        assert!(!skill.spans.is_empty() && skill.spans.len() <= 16);
    }
}

#[test]
fn hostile_documents_end() {
    let shapes = [
        "## Experience\n".repeat(6_000),
        "(".repeat(20_000),
        "C, R, Go, ".repeat(20_000),
        "Rust or Go or C++ / ".repeat(5_000),
        "2019 - 2020 Engineer, Acme\n".repeat(5_000),
        "a@b.com +49 30 555 0134 ".repeat(3_000),
        "English fluent ".repeat(5_000),
        "المهندس ".repeat(10_000),
        "1 Aa ".repeat(10_000),
    ];
    for shape in shapes {
        for kind in [DocumentKind::Resume, DocumentKind::Job] {
            for text in [format!("## Requirements\n{shape}"), format!("## Languages\n{shape}"), shape.clone()]
            {
                let parsed = read(&text, kind);
                assert!(parsed.profile.work.len() <= 100 && parsed.profile.education.len() <= 40);
            }
        }
    }
}

fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,40}",
        Just("Experience".to_owned()),
        Just("الخبرات:".to_owned()),
        Just("Jan 2019 –".to_owned()),
        Just("Senior Engineer, Acme GmbH, Berlin\t2019 - ".to_owned()),
        Just("Name: ()".to_owned()),
        Just("must have: C++/C# or (Rust; a plus)".to_owned()),
        Just("5+ years of Python, £30k to £40k a year".to_owned()),
        "[ \\t|•:;,.()&/0-9a-zA-Zéا-ي–-]{0,60}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn any_lines_are_read_without_panic_and_alike(
        texts in prop::collection::vec((fragment(), any::<(bool, bool, bool)>(), 0_u8..3), 0..30),
        job in any::<bool>(),
    ) {
        let mut document = extracted("");
        document.lines = texts
            .into_iter()
            .map(|(text, (bold, bullet, rtl), heading)| Line { text, bold, bullet, rtl, heading, ..Line::default() })
            .collect();
        let kind = if job { DocumentKind::Job } else { DocumentKind::Resume };
        let as_of = Month::new(2026, 11).expect("month");
        let parsed = structure(&document, kind, Some("hint"), as_of);
        check_spans(&parsed);
        prop_assert_eq!(&parsed, &structure(&document, kind, Some("hint"), as_of));
        prop_assert!(parsed.profile.months_total <= 720);
    }
}
