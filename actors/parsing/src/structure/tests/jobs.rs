//! What postings ask for.

use super::*;
use crate::extract::JobPostingLd;

const JOB: &str = "# Senior Backend Engineer (Rust)
Quillstone Payments · Berlin, Germany (hybrid, 2 days a week in the office) · Full-time
## About us
Quillstone moves money with Java and Oracle.
## What you will do
- Build services in Rust on Kubernetes.
## Requirements
- 5+ years of experience in backend development, of which at least 2 years of Rust.
- You must know PostgreSQL.
- Apache Kafka or RabbitMQ; Docker and Git.
- One of AWS, Azure, GCP.
- Bachelor's degree in Computer Science or Mathematics.
- English fluent; German is a plus.
## Nice to have
- Terraform, Prometheus.
## What we offer
- €85,000 to €105,000 a year and a PHP party.
";

fn asked() -> tandem_domain::profile::Requirements {
    read(JOB, DocumentKind::Job).profile.requirements.expect("a job asks")
}

fn levels(asked: &tandem_domain::profile::Requirements) -> Vec<(RequirementLevel, Vec<&'static str>)> {
    asked
        .skills
        .iter()
        .map(|skill| (skill.level, skill.any_of.iter().map(|id| id.slug()).collect()))
        .collect()
}

#[test]
fn the_head_of_a_job_is_read() {
    let asked = asked();
    assert_eq!(value(&asked.title), "Senior Backend Engineer (Rust)");
    assert_eq!(value(&asked.organization), "Quillstone Payments");
    assert_eq!(value(&asked.location), "Berlin, Germany");
    assert_eq!(asked.remote, Some(Remote::Hybrid));
    assert_eq!(value(&asked.employment_type), "Full-time");
    assert_eq!(asked.seniority, Some(Seniority::Senior));
    assert_eq!(asked.occupation.map(|id| id.slug()), Some("back-end-developer"));
    let salary = asked.salary.expect("pay").value;
    assert_eq!((salary.min, salary.max, salary.currency.as_str()), (85_000, 105_000, "EUR"));
    assert_eq!(salary.period, SalaryPeriod::Year);
}

#[test]
fn each_requirement_has_its_level_and_its_group() {
    use RequirementLevel::{Must, Nice, Required};
    let found = levels(&asked());
    let has =
        |level, slugs: &[&str]| assert!(found.contains(&(level, slugs.to_vec())), "{slugs:?} in {found:?}");
    has(Must, &["postgresql"]);
    has(Required, &["rust"]);
    has(Required, &["apache-kafka", "rabbitmq"]);
    has(Required, &["docker"]);
    has(Required, &["git"]);
    has(Required, &["aws", "google-cloud-platform", "microsoft-azure"]);
    has(Nice, &["terraform"]);
    let named = |slug| found.iter().any(|(_, any_of)| any_of.contains(&slug));
    assert!(
        !named("java") && !named("oracle-database") && !named("php") && !named("kubernetes"),
        "what the company has and does is not asked for"
    );
}

#[test]
fn years_degree_and_languages_are_read() {
    let asked = asked();
    assert_eq!(asked.min_months.as_ref().map(|months| months.value), Some(60));
    let rust = asked.skills.iter().find(|skill| skill.any_of.iter().any(|id| id.slug() == "rust"));
    assert_eq!(rust.and_then(|skill| skill.months), Some(24));
    assert_eq!(asked.education.as_ref().map(|education| education.value), Some(EducationLevel::Bachelor));
    assert_eq!(asked.education_level, RequirementLevel::Required);
    assert_eq!(asked.fields, ["computer science", "mathematics"]);
    let languages: Vec<_> =
        asked.languages.iter().map(|asked| (asked.language.as_str(), asked.at_least, asked.level)).collect();
    let expected = [
        ("de", None, RequirementLevel::Nice),
        ("en", Some(LanguageLevel::Fluent), RequirementLevel::Required),
    ];
    assert_eq!(languages, expected);
}

#[test]
fn an_arabic_job_is_read() {
    let parsed = read(
        "# محاسب أول\nمجموعة النخيل – الرياض، السعودية\n## المتطلبات\n- خبرة لا تقل عن 5 سنوات في المحاسبة المالية.\n- يجب إتقان Excel.\n- شهادة CPA أو CMA.\n- بكالوريوس محاسبة.\n## يفضل\n- معرفة Power BI.\n",
        DocumentKind::Job,
    );
    let asked = parsed.profile.requirements.expect("a job asks");
    assert_eq!(value(&asked.title), "محاسب أول");
    assert_eq!(value(&asked.location), "الرياض، السعودية");
    assert_eq!(asked.min_months.as_ref().map(|months| months.value), Some(60));
    assert_eq!(asked.education.as_ref().map(|education| education.value), Some(EducationLevel::Bachelor));
    let found = levels(&asked);
    assert!(found.contains(&(RequirementLevel::Must, vec!["microsoft-excel"])), "{found:?}");
    assert!(found.contains(&(RequirementLevel::Required, vec!["cma", "cpa"])), "{found:?}");
    assert!(found.contains(&(RequirementLevel::Preferred, vec!["power-bi"])), "{found:?}");
}

#[test]
fn what_a_page_declares_comes_first_and_fills_an_empty_page() {
    let mut document = extracted("");
    document.job_posting = Some(JobPostingLd {
        title: Some("Registered Nurse".to_owned()),
        organization: Some("Larkspur Center".to_owned()),
        location: Some("Sacramento, CA, US".to_owned()),
        location_type: Some("TELECOMMUTE".to_owned()),
        salary_currency: Some("usd".to_owned()),
        salary_min: Some("62".to_owned()),
        salary_max: Some("84.50".to_owned()),
        salary_unit: Some("HOUR".to_owned()),
        description_lines: vec!["Care for critically ill adults.".to_owned()],
        qualification_lines: vec!["BLS and ACLS are required.".to_owned()],
        ..JobPostingLd::default()
    });
    let parsed = structure(&document, DocumentKind::Job, None, Month::EPOCH);
    let asked = parsed.profile.requirements.expect("a job asks");
    assert_eq!(value(&asked.title), "Registered Nurse");
    assert_eq!(asked.remote, Some(Remote::Remote));
    assert_eq!(asked.salary.map(|pay| (pay.value.min, pay.value.max)), Some((62, 84)));
    assert_eq!(asked.skills.len(), 2);
    assert!(parsed.ranked_text.contains("critically ill"));
}

#[test]
fn the_submitters_title_helps_only_where_the_text_has_none() {
    let parsed = structure(
        &extracted("We pay well and the view is fine.\n## Requirements\n- Excel\n"),
        DocumentKind::Job,
        Some("Bookkeeper"),
        Month::EPOCH,
    );
    assert_eq!(
        parsed.profile.requirements.map(|asked| value(&asked.title).to_owned()).as_deref(),
        Some("Bookkeeper")
    );
}
