//! What a name means follows from where it stands.

use tandem_domain::profile::Requirements;

use super::*;

fn skills(text: &str, kind: DocumentKind) -> Vec<&'static str> {
    read(text, kind).profile.skills.iter().map(|skill| skill.id.slug()).collect()
}

fn skills_of(lines: &str) -> Vec<&'static str> {
    let head = "# Nia Brand\n*Teacher\nnia@example.com | Elk Grove, CA\n";
    skills(&format!("{head}{lines}"), DocumentKind::Resume)
}

fn asked(lines: &str) -> Requirements {
    let text = format!("# Account Executive\nTallyroom Software, Austin, TX\n{lines}");
    read(&text, DocumentKind::Job).profile.requirements.expect("a job asks")
}

fn levels(asked: &Requirements) -> Vec<(RequirementLevel, &'static str)> {
    asked.skills.iter().flat_map(|skill| skill.any_of.iter().map(|id| (skill.level, id.slug()))).collect()
}

#[test]
fn an_ambiguous_name_inside_something_else_is_none() {
    let found = skills_of(
        "## Projects\n- Release line (2023): GitHub Actions, cargo-deny, Docker.\n- Telemetry ingestion in Rust.\n## Skills\nRust, AP Statistics, Core Web Vitals, SAP2000, Canvas, Google Classroom\n",
    );
    for wrong in [
        "freight-forwarding",
        "cardiac-care",
        "accounts-payable",
        "vital-signs",
        "sap-erp",
        "canva",
        "elk-stack",
    ] {
        assert!(!found.contains(&wrong), "{wrong} in {found:?}");
    }
    for right in ["rust", "docker", "sap2000", "canvas-lms", "teaching-mathematics", "web-performance"] {
        assert!(found.contains(&right), "{right} in {found:?}");
    }
}

#[test]
fn a_season_is_no_framework() {
    let found = skills_of(
        "## Experience\n*Student Teacher\tJan 2015 - Jun 2015\nHarlow Middle School, Eugene, Oregon\n- Winter and Spring 2015, two groups.\n",
    );
    assert!(!found.contains(&"spring"), "{found:?}");
    assert!(skills_of("## Skills\nJava, Spring, Docker\n").contains(&"spring"));
}

#[test]
fn names_of_employers_and_schools_name_no_skill() {
    let found = skills_of(
        "## Experience\n*Data Engineer\tMar 2021 - Present\nThistledown Retail Analytics Inc., Toronto\n- Pipelines in Python.\n## Education\nB.Sc. Physics, Robotics University\t2010 - 2013\n",
    );
    assert!(found.contains(&"python"), "{found:?}");
    for wrong in ["data-analysis", "retail", "robotics"] {
        assert!(!found.contains(&wrong), "{wrong} in {found:?}");
    }
}

#[test]
fn a_certificate_counts_once_it_is_held() {
    let ahead = skills_of(
        "## Certificates\n- BLS, ACLS, CCRN: examination booked for January\n- CMA preparation course\n- Studying for the CPA\n",
    );
    assert!(ahead.contains(&"bls") && ahead.contains(&"acls"), "{ahead:?}");
    for wrong in ["ccrn", "cma", "cpa"] {
        assert!(!ahead.contains(&wrong), "{wrong} in {ahead:?}");
    }
    let held = skills_of(
        "## Certificates\n- Registered Nurse, State of California, active\n- CCRN\n- Level 3 Award in Food Safety\n- First aid\n",
    );
    for right in ["registered-nurse-license", "ccrn", "food-safety-level-3", "first-aid"] {
        assert!(held.contains(&right), "{right} in {held:?}");
    }
}

#[test]
fn a_running_line_is_no_certificate() {
    let text =
        "# Nia Brand\n## Certificates\n- First aid at work\nNia Brand – Curriculum Vitae\nPage 2 of 2\n";
    let found: Vec<_> = read(text, DocumentKind::Resume)
        .profile
        .certificates
        .into_iter()
        .map(|certificate| certificate.value)
        .collect();
    assert_eq!(found, ["First aid at work"]);
}

#[test]
fn what_helps_is_preferred_and_what_is_sold_or_studied_is_not_asked() {
    use RequirementLevel::{Preferred, Required};
    let asked = asked(
        "## What you'll do\n- Forecast in Tableau: it must be honest; sell workforce scheduling software.\n## You need\n- Salesforce, negotiation.\n- Bachelor's degree or diploma in Hotel Management or Hospitality.\n## It helps if you have\n- LinkedIn Sales Navigator.\n- Experience selling HR, scheduling or hospitality software.\n## Pay\n$85,000 base, $170,000 on target, uncapped.\n",
    );
    let expected =
        [(Required, "salesforce"), (Required, "negotiation"), (Preferred, "linkedin-sales-navigator")];
    assert_eq!(levels(&asked), expected);
    let pay = asked.salary.expect("pay").value;
    assert_eq!((pay.min, pay.max, pay.period), (85_000, 85_000, SalaryPeriod::Year));
}

#[test]
fn a_posting_of_tasks_alone_asks_for_their_tools() {
    let asked = asked("## What you'll do\n- Build services in Docker with PostgreSQL; good communication.\n");
    let expected = [(RequirementLevel::Preferred, "docker"), (RequirementLevel::Preferred, "postgresql")];
    assert_eq!(levels(&asked), expected);
}
