//! Headings of job postings that no table holds in full: "What you'll do at Acme", "Bonus points if you…".

use tandem_domain::profile::SectionKind;

/// Parts of a heading that decide it, the first hit wins: what is welcome stands before what is required, because
/// "preferred qualifications" are not required.
const CUES: &[(SectionKind, &[&str])] = &[
    (
        SectionKind::Preferred,
        &[
            "nice to have",
            "nice-to-have",
            "preferred",
            "bonus",
            "desirable",
            "desired",
            "advantage",
            "a plus",
            "great if",
            "helps if",
            "helps to have",
            "would help",
            "pluses",
            "even better",
            "stand out",
            "good to have",
            "extra",
            "optional",
            "يفضل",
            "ميزه",
            "مفضل",
            "اضافيه",
        ],
    ),
    (
        SectionKind::Benefits,
        &[
            "benefit",
            "we offer",
            "perks",
            "what you get",
            "what you'll get",
            "in it for you",
            "compensation",
            "salary",
            "in return",
            "why join",
            "why you'll love",
            "reward",
            "we provide",
            "package",
            "المزايا",
            "نقدم",
            "الراتب",
            "المميزات",
        ],
    ),
    (
        SectionKind::Responsibilities,
        &[
            "you'll do",
            "you will do",
            "you'll be doing",
            "responsib",
            "duties",
            "your tasks",
            "day to day",
            "day-to-day",
            "your role",
            "you'll own",
            "the work",
            "tasks",
            "impact",
            "in this role",
            "your mission",
            "المهام",
            "المسؤوليات",
            "المسووليات",
            "الواجبات",
            "ستقوم",
            "ستفعل",
        ],
    ),
    (
        SectionKind::Requirements,
        &[
            "require",
            "qualif",
            "you bring",
            "you'll bring",
            "you must bring",
            "must bring",
            "looking for",
            "who you are",
            "must have",
            "must-have",
            "essential",
            "about you",
            "your profile",
            "you have",
            "you'll need",
            "you need",
            "skills",
            "experience",
            "expect from you",
            "should have",
            "criteria",
            "candidate",
            "المتطلبات",
            "الشروط",
            "الموهلات",
            "المطلوب",
            "نبحث",
            "الخبرات",
        ],
    ),
    (
        SectionKind::About,
        &[
            "about",
            "who we are",
            "our company",
            "our team",
            "our values",
            "our culture",
            "equal opportunit",
            "diversity",
            "inclusion",
            "how to apply",
            "apply",
            "application",
            "contact",
            "process",
            "privacy",
            "من نحن",
            "عن الشركه",
            "التقديم",
            "نبذه",
        ],
    ),
];

/// What a heading of a job is about by the words in it; `folded` is folded.
pub(super) fn kind_of(folded: &str) -> Option<SectionKind> {
    CUES.iter().find(|(_, cues)| cues.iter().any(|cue| folded.contains(cue))).map(|(kind, _)| *kind)
}

/// The last word of a résumé's heading often decides it: "Nursing Experience", "Warehouse Skills".
const RESUME_CUES: &[(SectionKind, &[&str])] = &[
    (SectionKind::Volunteer, &["volunteer", "تطوع"]),
    (
        SectionKind::Work,
        &[
            "experience",
            "employment",
            "work history",
            "career",
            "internships",
            "practice",
            "خبرات",
            "خبره",
            "الوظاي",
        ],
    ),
    (
        SectionKind::Skills,
        &["skills", "competenc", "technolog", "expertise", "proficienc", "software", "مهارات"],
    ),
    (SectionKind::Certificates, &["certif", "licen", "training", "courses", "شهادات", "دورات", "رخص"]),
    (SectionKind::Education, &["education", "academic", "studies", "تعليم", "اكاديمي", "موهلات"]),
    (SectionKind::Languages, &["languages", "لغات"]),
    (SectionKind::Projects, &["projects", "open source", "مشاريع"]),
    (SectionKind::Publications, &["publications", "talks", "conferences", "papers"]),
    (SectionKind::Awards, &["awards", "honors", "honours", "achievements", "جوايز", "انجازات"]),
    (SectionKind::References, &["references", "referees"]),
    (SectionKind::Personal, &["personal data", "personal information", "contact", "التواصل"]),
];

/// What a heading of a résumé is about by the words in it; only short ones say so.
pub(super) fn resume_kind_of(folded: &str) -> Option<SectionKind> {
    const MAX_WORDS: usize = 5;
    if folded.split_whitespace().count() > MAX_WORDS || folded.contains([',', '|', '\t']) {
        return None;
    }
    RESUME_CUES.iter().find(|(_, cues)| cues.iter().any(|cue| folded.contains(cue))).map(|(kind, _)| *kind)
}
