//! The loader on broken tables, and the built-in tables against their own rules.

use std::collections::HashMap;

use super::*;

const SKILLS_HEADER: &str = "id\tname\tkind\taliases_en\taliases_ar\timplies\trelated\tflags\n";
const OCCUPATIONS_HEADER: &str = "id\tname\tgroup\thead\taliases_en\taliases_ar\trelated\n";

/// A table of these rows that lives as long as the program, as the compiled-in ones do.
fn table(header: &str, rows: &[&str]) -> &'static str {
    Box::leak(format!("{header}{}\n", rows.join("\n")).into_boxed_str())
}

/// Parses these skill rows with one plain occupation beside them.
fn with_skills(rows: &[&str]) -> Result<Taxonomy, TaxonomyError> {
    let occupations = table(OCCUPATIONS_HEADER, &["nurse\tNurse\tnursing\tnurse\t\t\t"]);
    Taxonomy::parse(table(SKILLS_HEADER, rows), occupations)
}

/// Parses these occupation rows with one plain skill beside them.
fn with_occupations(rows: &[&str]) -> Result<Taxonomy, TaxonomyError> {
    let skills = table(SKILLS_HEADER, &["sql\tSQL\tlanguage\t\t\t\t\t"]);
    Taxonomy::parse(skills, table(OCCUPATIONS_HEADER, rows))
}

fn skill(slug: &str) -> SkillId {
    Taxonomy::builtin().skill_by_slug(slug).unwrap()
}

fn occupation(slug: &str) -> OccupationId {
    Taxonomy::builtin().occupation_by_slug(slug).unwrap()
}

#[test]
fn a_broken_skill_row_names_its_line_and_fault() {
    let good = "a\tA\ttool\t\t\t\t\t";
    let cases: [(&str, TaxonomyFault); 13] = [
        ("b\tB\ttool", TaxonomyFault::Columns { expected: 8, found: 3 }),
        ("b\tB\ttool\t\t\t\t\t\t", TaxonomyFault::Columns { expected: 8, found: 9 }),
        ("", TaxonomyFault::Columns { expected: 8, found: 1 }),
        ("B b\tB\ttool\t\t\t\t\t", TaxonomyFault::Slug("B b")),
        ("a\tB\ttool\t\t\t\t\t", TaxonomyFault::Order("a")),
        ("b\t \ttool\t\t\t\t\t", TaxonomyFault::Empty("name")),
        ("b\tB\tgadget\t\t\t\t\t", TaxonomyFault::Kind("gadget")),
        ("b\tB\ttool\tx||y\t\t\t\t", TaxonomyFault::Empty("aliases_en")),
        ("b\tB\ttool\t\t\tzz\t\t", TaxonomyFault::Reference("zz")),
        ("b\tB\ttool\t\t\tb\t\t", TaxonomyFault::Reference("b")),
        ("b\tB\ttool\t\t\t\ta:91\t", TaxonomyFault::Strength("a:91")),
        ("b\tB\ttool\t\t\t\ta\t", TaxonomyFault::Strength("a")),
        ("b\tB\ttool\t\t\t\t\tambiguous:Q", TaxonomyFault::Flag("ambiguous:Q")),
    ];
    for (row, fault) in cases {
        let error = with_skills(&[good, row]).unwrap_err();
        assert_eq!(error, TaxonomyError { table: "skills", line: 3, fault });
    }
}

#[test]
fn a_broken_occupation_row_names_its_line_and_fault() {
    let good = "cook\tCook\tkitchen\tcook\t\t\t";
    let cases = [
        ("dean\tDean\tschool\t\t\t\t", TaxonomyFault::Empty("head")),
        ("dean\tDean\tBig School\tdean\t\t\t", TaxonomyFault::Slug("Big School")),
        ("dean\tDean\tschool\tdean\t\t\tcook:9", TaxonomyFault::Strength("cook:9")),
        ("dean\tDean\tschool\tdean\t\t\trector:50", TaxonomyFault::Reference("rector")),
        ("baker\tBaker\tkitchen\tbaker\t\t\t", TaxonomyFault::Order("baker")),
    ];
    for (row, fault) in cases {
        let error = with_occupations(&[good, row]).unwrap_err();
        assert_eq!(error, TaxonomyError { table: "occupations", line: 3, fault });
    }
}

#[test]
fn another_header_is_refused() {
    let error = Taxonomy::parse("id\tname\n", OCCUPATIONS_TSV).unwrap_err();
    assert_eq!((error.table, error.line), ("skills", 1));
    assert!(matches!(error.fault, TaxonomyFault::Header { .. }));
    assert!(Taxonomy::parse(SKILLS_TSV, "").is_err());
    assert!(error.to_string().starts_with("skills line 1: the header must be"));
}

#[test]
fn implication_is_transitive_and_a_cycle_ends() {
    let taxonomy = with_skills(&[
        "a\tA\ttool\t\t\tb\t\t",
        "b\tB\ttool\t\t\tc\t\t",
        "c\tC\ttool\t\t\ta|d\t\t",
        "d\tD\ttool\t\t\t\ta:30\tambiguous",
    ])
    .unwrap();
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|slug| taxonomy.skill_by_slug(slug).unwrap());
    assert_eq!(taxonomy.implied_closure(a), [b, c, d]);
    assert_eq!(taxonomy.implied_closure(c), [a, b, d]);
    assert!(taxonomy.implied_closure(d).is_empty());
    assert_eq!(taxonomy.related_strength(a, d), 100);
    assert_eq!(taxonomy.related_strength(d, a), 30);
    assert_eq!(taxonomy.related_strength(d, b), 0);
    assert!(taxonomy.skill(d).ambiguous && !taxonomy.skill(a).ambiguous);
}

#[test]
fn the_version_follows_the_text_of_both_tables() {
    let version = Taxonomy::builtin().version();
    assert_eq!(version.len(), 16);
    assert!(version.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let one = with_skills(&["a\tA\ttool\t\t\t\t\t"]).unwrap();
    let other = with_skills(&["a\tB\ttool\t\t\t\t\t"]).unwrap();
    let third = with_occupations(&["a\tA\tb\tc\t\t\t"]).unwrap();
    assert_ne!(one.version(), other.version());
    assert_ne!(one.version(), third.version());
    assert_eq!(one.version(), with_skills(&["a\tA\ttool\t\t\t\t\t"]).unwrap().version());
}

#[test]
fn ids_travel_as_slugs() {
    let rust = skill("rust");
    assert_eq!(serde_json::to_string(&rust).unwrap(), "\"rust\"");
    assert_eq!(serde_json::from_str::<SkillId>("\"rust\"").unwrap(), rust);
    let bytes = postcard::to_stdvec(&occupation("accountant")).unwrap();
    assert_eq!(postcard::from_bytes::<OccupationId>(&bytes).unwrap(), occupation("accountant"));
    let error = serde_json::from_str::<SkillId>("\"no-such-skill\"").unwrap_err().to_string();
    assert!(error.contains("unknown skill \"no-such-skill\""), "{error}");
    let error = serde_json::from_str::<OccupationId>("\"Jane Doe\"").unwrap_err().to_string();
    assert!(error.contains("not a slug") && !error.contains("Jane"), "{error}");
    assert!(serde_json::from_str::<SkillId>("7").is_err());
    assert!(skill("python") < rust && rust < skill("sql"));
    assert_eq!(rust.to_string(), "rust");
}

#[test]
fn strengths_of_the_builtin_skills() {
    let taxonomy = Taxonomy::builtin();
    let [django, python, react, vue] = ["django", "python", "react", "vue-js"].map(skill);
    assert_eq!(taxonomy.related_strength(django, django), 100);
    assert_eq!(taxonomy.related_strength(django, python), 100);
    assert!(taxonomy.related_strength(python, django) < 100);
    assert_eq!(taxonomy.related_strength(react, vue), taxonomy.related_strength(vue, react));
    assert!((10..=90).contains(&taxonomy.related_strength(react, vue)));
    assert!(taxonomy.implied_closure(skill("django-rest-framework")).contains(&python));
    for name in [
        "C", "R", "Go", "Rust", "Swift", "Excel", "Access", "Spring", "Chef", "Oracle", "SAS", "Word", "Make",
    ] {
        let owner =
            taxonomy.skills().iter().find(|skill| skill.surfaces().any(|surface| surface == name)).unwrap();
        assert!(owner.ambiguous && owner.is_ambiguous_as(name), "{name}");
    }
    assert!(!taxonomy.skill(skill("go")).is_ambiguous_as("Golang"));
    assert!(taxonomy.skill(skill("artificial-intelligence")).is_ambiguous_as("AI"));
    assert!(!taxonomy.skill(skill("artificial-intelligence")).is_ambiguous_as("Artificial Intelligence"));
}

#[test]
fn a_higher_certificate_shows_the_lower() {
    let taxonomy = Taxonomy::builtin();
    for (higher, lower) in [
        ("food-safety-level-3", "food-safety-level-2"),
        ("osha-30", "osha-10"),
        ("osha-10", "osha-certification"),
        ("cks", "cka"),
    ] {
        assert_eq!(taxonomy.related_strength(skill(higher), skill(lower)), 100, "{higher}");
        assert!(taxonomy.related_strength(skill(lower), skill(higher)) < 100, "{lower}");
    }
}

#[test]
fn strengths_of_the_builtin_occupations() {
    let taxonomy = Taxonomy::builtin();
    let [backend, fullstack, nurse] =
        ["back-end-developer", "full-stack-developer", "registered-nurse"].map(occupation);
    assert_eq!(taxonomy.occupation_strength(backend, backend), 100);
    assert!(taxonomy.occupation_strength(backend, fullstack) > SAME_GROUP_STRENGTH);
    assert_eq!(
        taxonomy.occupation_strength(backend, fullstack),
        taxonomy.occupation_strength(fullstack, backend)
    );
    assert_eq!(taxonomy.occupation_strength(backend, nurse), 0);
    assert_eq!(taxonomy.occupation_strength(nurse, occupation("midwife")), 60);
    assert_eq!(taxonomy.occupation_strength(backend, occupation("webmaster")), SAME_GROUP_STRENGTH);
}

#[test]
fn the_builtin_tables_are_broad_enough() {
    let taxonomy = Taxonomy::builtin();
    let arabic_skills = taxonomy.skills().iter().filter(|skill| !skill.aliases_ar.is_empty()).count();
    let arabic_titles = taxonomy.occupations().iter().filter(|entry| !entry.aliases_ar.is_empty()).count();
    assert!(taxonomy.skills().len() >= 1_500, "{} skills", taxonomy.skills().len());
    assert!(taxonomy.occupations().len() >= 250, "{} occupations", taxonomy.occupations().len());
    assert!(arabic_skills >= 600, "{arabic_skills} skills with an Arabic name");
    assert!(arabic_titles >= 230, "{arabic_titles} occupations with an Arabic title");
    for (index, skill) in taxonomy.skills().iter().enumerate() {
        assert_eq!(skill.id.index(), index);
        assert_eq!(taxonomy.skill_by_slug(skill.slug), Some(skill.id));
    }
    for group in
        ["nursing", "health", "finance", "sales", "education", "logistics", "construction", "hospitality"]
    {
        let mut of_group = taxonomy.occupations().iter().filter(|entry| entry.group == group).peekable();
        assert!(of_group.peek().is_some(), "{group} is empty");
        of_group
            .for_each(|entry| assert!(!entry.aliases_ar.is_empty(), "{} has no Arabic title", entry.slug));
    }
}

#[test]
fn no_builtin_name_belongs_to_two_entries() {
    let taxonomy = Taxonomy::builtin();
    assert_unique(taxonomy.skills().iter().map(|skill| (skill.slug, skill.surfaces().collect())));
    assert_unique(taxonomy.occupations().iter().map(|entry| (entry.slug, entry.surfaces().collect())));
}

/// Fails when two entries, or one entry twice, go by the same name, whatever its case.
fn assert_unique(entries: impl Iterator<Item = (&'static str, Vec<&'static str>)>) {
    let mut owner: HashMap<String, &str> = HashMap::new();
    for (slug, surfaces) in entries {
        for surface in surfaces {
            assert_eq!(surface, surface.trim(), "{slug}");
            if let Some(other) = owner.insert(surface.to_lowercase(), slug) {
                panic!("{surface:?} belongs to {other} and to {slug}");
            }
        }
    }
}

#[test]
fn every_builtin_alias_is_in_its_column_and_a_short_one_is_ambiguous() {
    let is_arabic = |text: &str| text.chars().any(|letter| ('\u{600}'..='\u{6ff}').contains(&letter));
    for skill in Taxonomy::builtin().skills() {
        assert!(skill.aliases_ar.iter().all(|alias| is_arabic(alias)), "{}", skill.slug);
        assert!(!is_arabic(skill.name) && !skill.aliases_en.iter().any(|alias| is_arabic(alias)));
        for surface in skill
            .surfaces()
            .filter(|surface| surface.len() <= 2 && surface.bytes().all(|byte| byte.is_ascii_alphabetic()))
        {
            assert!(skill.is_ambiguous_as(surface), "{surface:?} of {}", skill.slug);
        }
    }
}
