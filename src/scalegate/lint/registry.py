"""Every rule there is, by family and number."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from scalegate.lint.dep_001_contexts import RULE as DEP_001
from scalegate.lint.dep_002_internal import RULE as DEP_002
from scalegate.lint.dep_003_open_weights import RULE as DEP_003
from scalegate.lint.dep_004_partners import RULE as DEP_004
from scalegate.lint.dep_005_retention import RULE as DEP_005
from scalegate.lint.dep_006_running import RULE as DEP_006
from scalegate.lint.dis_001_deadline import RULE as DIS_001
from scalegate.lint.dis_002_clock import RULE as DIS_002
from scalegate.lint.dis_003_redactions import RULE as DIS_003
from scalegate.lint.dis_004_start import RULE as DIS_004
from scalegate.lint.dis_005_self_discharge import RULE as DIS_005
from scalegate.lint.eva_001_cadence import RULE as EVA_001
from scalegate.lint.eva_002_both_clocks import RULE as EVA_002
from scalegate.lint.eva_003_interval import RULE as EVA_003
from scalegate.lint.eva_004_buffer import RULE as EVA_004
from scalegate.lint.eva_005_elicitation import RULE as EVA_005
from scalegate.lint.eva_006_budget import RULE as EVA_006
from scalegate.lint.eva_007_sandbagging import RULE as EVA_007
from scalegate.lint.eva_008_samples import RULE as EVA_008
from scalegate.lint.eva_009_inconclusive import RULE as EVA_009
from scalegate.lint.eva_010_no_further import RULE as EVA_010
from scalegate.lint.eva_011_exempt import RULE as EVA_011
from scalegate.lint.eva_012_unpinned import RULE as EVA_012
from scalegate.lint.eva_013_early import RULE as EVA_013
from scalegate.lint.eva_014_buffer_rule import RULE as EVA_014
from scalegate.lint.eva_015_belief import RULE as EVA_015
from scalegate.lint.eva_016_belief_role import RULE as EVA_016
from scalegate.lint.eva_017_known_positives import RULE as EVA_017
from scalegate.lint.eva_018_accepted import RULE as EVA_018
from scalegate.lint.ext_001_external import RULE as EXT_001
from scalegate.lint.ext_002_procedure import RULE as EXT_002
from scalegate.lint.ext_003_independence import RULE as EXT_003
from scalegate.lint.ext_004_access import RULE as EXT_004
from scalegate.lint.ext_005_publication import RULE as EXT_005
from scalegate.lint.gov_001_approver import RULE as GOV_001
from scalegate.lint.gov_002_notice import RULE as GOV_002
from scalegate.lint.gov_003_changelog import RULE as GOV_003
from scalegate.lint.gov_004_silent import RULE as GOV_004
from scalegate.lint.gov_005_tripped import RULE as GOV_005
from scalegate.lint.gov_006_proposer import RULE as GOV_006
from scalegate.lint.gov_007_whistleblower import RULE as GOV_007
from scalegate.lint.gov_008_pause import RULE as GOV_008
from scalegate.lint.gov_009_powers import RULE as GOV_009
from scalegate.lint.lex_001_weak import RULE as LEX_001
from scalegate.lint.lex_002_convenient import RULE as LEX_002
from scalegate.lint.lex_003_elsewhere import RULE as LEX_003
from scalegate.lint.lex_004_suppressed import RULE as LEX_004
from scalegate.lint.rac_001_clause import RULE as RAC_001
from scalegate.lint.rac_002_evidence import RULE as RAC_002
from scalegate.lint.rac_003_floor import RULE as RAC_003
from scalegate.lint.rac_004_disclosure import RULE as RAC_004
from scalegate.lint.rac_005_approver import RULE as RAC_005
from scalegate.lint.rac_006_mutual import RULE as RAC_006
from scalegate.lint.rac_007_broader import RULE as RAC_007
from scalegate.lint.rac_008_sunset import RULE as RAC_008
from scalegate.lint.rsp_001_consequence import RULE as RSP_001
from scalegate.lint.rsp_002_training import RULE as RSP_002
from scalegate.lint.rsp_003_resumption import RULE as RSP_003
from scalegate.lint.rsp_004_modality import RULE as RSP_004
from scalegate.lint.rsp_005_swap import RULE as RSP_005
from scalegate.lint.rsp_006_rewrite import RULE as RSP_006
from scalegate.lint.rsp_007_training_safeguards import RULE as RSP_007
from scalegate.lint.rsp_008_undefined import RULE as RSP_008
from scalegate.lint.rsp_009_weaker import RULE as RSP_009
from scalegate.lint.rsp_010_one_person import RULE as RSP_010
from scalegate.lint.rsp_011_same_test import RULE as RSP_011
from scalegate.lint.rsp_012_duplicate import RULE as RSP_012
from scalegate.lint.rule import Rule
from scalegate.lint.saf_001_examples import RULE as SAF_001
from scalegate.lint.saf_002_red_team import RULE as SAF_002
from scalegate.lint.saf_003_excluded import RULE as SAF_003
from scalegate.lint.saf_004_demoted import RULE as SAF_004
from scalegate.lint.saf_005_for_the_field import RULE as SAF_005
from scalegate.lint.thr_001_numbers import RULE as THR_001
from scalegate.lint.thr_002_withheld import RULE as THR_002
from scalegate.lint.thr_003_placeholder import RULE as THR_003
from scalegate.lint.thr_004_vague import RULE as THR_004
from scalegate.lint.thr_005_baseline import RULE as THR_005
from scalegate.lint.thr_006_vacuous import RULE as THR_006
from scalegate.lint.thr_007_hysteresis import RULE as THR_007
from scalegate.lint.thr_008_no_capability import RULE as THR_008
from scalegate.lint.thr_009_domain import RULE as THR_009
from scalegate.lint.thr_010_removed import RULE as THR_010
from scalegate.lint.thr_011_impossible import RULE as THR_011
from scalegate.lint.thr_012_trivial import RULE as THR_012
from scalegate.lint.thr_013_noise import RULE as THR_013
from scalegate.lint.thr_014_gap import RULE as THR_014
from scalegate.lint.und_001_understanding import RULE as UND_001
from scalegate.lint.und_002_hole import RULE as UND_002
from scalegate.lint.und_003_fill import RULE as UND_003

RULES: Final[tuple[Rule, ...]] = (
    THR_001,
    THR_002,
    THR_003,
    THR_004,
    THR_005,
    THR_006,
    THR_007,
    THR_008,
    THR_009,
    THR_010,
    THR_011,
    THR_012,
    THR_013,
    THR_014,
    EVA_001,
    EVA_002,
    EVA_003,
    EVA_004,
    EVA_005,
    EVA_006,
    EVA_007,
    EVA_008,
    EVA_009,
    EVA_010,
    EVA_011,
    EVA_012,
    EVA_013,
    EVA_014,
    EVA_015,
    EVA_016,
    EVA_017,
    EVA_018,
    RSP_001,
    RSP_002,
    RSP_003,
    RSP_004,
    RSP_005,
    RSP_006,
    RSP_007,
    RSP_008,
    RSP_009,
    RSP_010,
    RSP_011,
    RSP_012,
    UND_001,
    UND_002,
    UND_003,
    SAF_001,
    SAF_002,
    SAF_003,
    SAF_004,
    SAF_005,
    DEP_001,
    DEP_002,
    DEP_003,
    DEP_004,
    DEP_005,
    DEP_006,
    RAC_001,
    RAC_002,
    RAC_003,
    RAC_004,
    RAC_005,
    RAC_006,
    RAC_007,
    RAC_008,
    EXT_001,
    EXT_002,
    EXT_003,
    EXT_004,
    EXT_005,
    GOV_001,
    GOV_002,
    GOV_003,
    GOV_004,
    GOV_005,
    GOV_006,
    GOV_007,
    GOV_008,
    GOV_009,
    DIS_001,
    DIS_002,
    DIS_003,
    DIS_004,
    DIS_005,
    LEX_001,
    LEX_002,
    LEX_003,
    LEX_004,
)

BY_ID: Final[Mapping[str, Rule]] = MappingProxyType({rule.id: rule for rule in RULES})
