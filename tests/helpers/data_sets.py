"""A made sample of each public set: its table with its true header line, and its images' paths."""

from typing import NamedTuple


class Sample(NamedTuple):
    """A set's table and layout.

    Attributes:
        table: The file's name.
        text: Its content.
        images: By path as the set lays it out: view and patient that the table says; None where it
            says none.
    """

    table: str
    text: str
    images: dict[str, tuple[str | None, str | None]]


MIMIC = (
    "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,"
    "Columns,StudyDate,StudyTime,ProcedureCodeSequence_CodeMeaning,"
    "ViewCodeSequence_CodeMeaning,PatientOrientationCodeSequence_CodeMeaning"
)
ID_1 = "02aa804e-bde0afdd-112c0b34-7bc16630-4e384014"
ID_2 = "174413ec-4ec4c1f7-34ea26b7-c5f994f8-79ef1962"
CHEXPERT = (
    "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,"
    "Lung Opacity,Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,"
    "Pleural Effusion,Pleural Other,Fracture,Support Devices"
)
NIH = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,"
    "View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],"
)
PADCHEST = (
    ",ImageID,ImageDir,StudyDate_DICOM,StudyID,PatientID,PatientBirth,PatientSex_DICOM,"
    "ViewPosition_DICOM,Projection,MethodProjection,Pediatric,Modality_DICOM,"
    "Manufacturer_DICOM,PhotometricInterpretation_DICOM,PixelRepresentation_DICOM,"
    "PixelAspectRatio_DICOM,SpatialResolution_DICOM,BitsStored_DICOM,WindowCenter_DICOM,"
    "WindowWidth_DICOM,Rows_DICOM,Columns_DICOM,XRayTubeCurrent_DICOM,Exposure_DICOM,"
    "ExposureInuAs_DICOM,ExposureTime,RelativeXRayExposure_DICOM,ReportID,Report,MethodLabel,"
    "Labels,Localizations,LabelsLocalizationsBySentence,labelCUIS,LocalizationsCUIS"
)
BRAX = (
    ",DicomPath,PngPath,PatientID,PatientSex,PatientAge,AccessionNumber,StudyDate,No Finding,"
    "Enlarged Cardiomediastinum,Cardiomegaly,Lung Lesion,Lung Opacity,Edema,Consolidation,"
    "Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,Support Devices,"
    "ViewPosition,Rows,Columns,Manufacturer"
)
VINDR_PCXR = (
    "image_id,rad_ID,No finding,Bronchitis,Brocho-pneumonia,Other disease,Bronchiolitis,"
    "Situs inversus,Pneumonia,Pleuro-pneumonia,Diagphramatic hernia,Tuberculosis,"
    "Congenital emphysema,CPAM,Hyaline membrane disease,Mediastinal tumor,Lung tumor"
)
SERIES = "id_0001-aa/Study_1.2/Series_3.4/image-5-6"

SAMPLES = {
    "MIMIC-CXR": Sample(
        "mimic-cxr-2.0.0-metadata.csv",
        f"{MIMIC}\n{ID_1},10000032,50414267,CHEST (PA AND LAT),PA,3056,2544,21800506,213014.531,"
        "CHEST (PA AND LAT),postero-anterior,Erect\n"
        f"{ID_2},10000032,50414267,CHEST (PA AND LAT),LATERAL,3056,2544,21800506,213014.531,"
        "CHEST (PA AND LAT),lateral,Erect\n",
        {
            f"files/p10/p10000032/s50414267/{ID_1}.jpg": ("frontal", "10000032"),
            f"files/p10/p10000032/s50414267/{ID_2}.jpg": ("lateral", "10000032"),
        },
    ),
    "CheXpert": Sample(
        "train.csv",
        f"{CHEXPERT}\n"
        "CheXpert-v1.0/train/patient00001/study1/view1_frontal.jpg,Female,68,Frontal,AP,1.0"
        + "," * 13
        + "\nCheXpert-v1.0/train/patient00001/study1/view2_lateral.jpg,Female,68,Lateral,"
        + "," * 14
        + "\n",
        {
            "train/patient00001/study1/view1_frontal.jpg": ("frontal", "patient00001"),
            "train/patient00001/study1/view2_lateral.jpg": ("lateral", "patient00001"),
        },
    ),
    "NIH ChestX-ray14": Sample(
        "Data_Entry_2017.csv",
        f"{NIH}\n00000001_000.png,Cardiomegaly,0,1,58,M,PA,2682,2749,0.143,0.143,\n"
        "00000002_000.png,No Finding,0,2,81,M,AP,2500,2048,0.171,0.171,\n",
        {
            "images_001/images/00000001_000.png": ("frontal", "1"),
            "images_002/images/00000002_000.png": ("frontal", "2"),
        },
    ),
    "PadChest": Sample(
        "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv",
        PADCHEST
        + "\n0,2053_m1.png,0,20140915,2053,839,1945,F,POSTEROANTERIOR,PA,Manual review"
        + "," * 25
        + "\n1,2053_m2.png,0,20140915,2053,839,1945,F,,L,Manual review"
        + "," * 25
        + "\n2,2054_m1.png,5,20140915,2054,840,1945,F,ANTEROPOSTERIOR,AP_horizontal,Manual review"
        + "," * 25
        + "\n3,2055_m1.png,5,20140915,2055,841,1945,F,ANTEROPOSTERIOR,COSTAL,Manual review"
        + "," * 25
        + "\n",
        {
            "0/2053_m1.png": ("frontal", "839"),
            "0/2053_m2.png": ("lateral", "839"),
            "5/2054_m1.png": ("frontal", "840"),
            "5/2055_m1.png": (None, "841"),
        },
    ),
    "VinDr-CXR": Sample(
        "annotations_train.csv",
        "image_id,rad_id,class_name,x_min,y_min,x_max,y_max\n"
        "0005e8e3701dfb1dd93d53e2ff537b6e,R10,Infiltration,900.9,587.8,1205.3,888.7\n"
        "0005e8e3701dfb1dd93d53e2ff537b6e,R8,Consolidation,932.4,567.7,1197.7,896.4\n",
        {"train/0005e8e3701dfb1dd93d53e2ff537b6e.dicom": ("frontal", None)},
    ),
    "VinDr-PCXR": Sample(
        "image_labels_train.csv",
        f"{VINDR_PCXR}\nab12cd,R1,1.0{',0.0' * 14}\n",
        {"train/ab12cd.dicom": ("frontal", None)},
    ),
    "BRAX": Sample(
        "master_spreadsheet_update.csv",
        f"{BRAX}\n"
        f"0,Anonymized_DICOMs/{SERIES}.dcm,images/{SERIES}.png,id_0001,M,40,2.3,20080101,1.0"
        f"{',' * 14}PA,9,9,1\n"
        f"1,Anonymized_DICOMs/{SERIES}7.dcm,images/{SERIES}7.png,id_0001,M,40,2.3,20080101,1.0"
        f"{',' * 14}L,9,9,1\n",
        {
            f"images/{SERIES}.png": ("frontal", "id_0001"),
            f"images/{SERIES}7.png": ("lateral", "id_0001"),
        },
    ),
    "RSNA Pneumonia": Sample(
        "stage_2_train_labels.csv",
        "patientId,x,y,width,height,Target\n0004cfab-14fd,,,,,0\n00436515-870c,264,152,213,379,1\n"
        "00436515-870c,562,152,256,453,1\n",
        {
            "stage_2_train_images/0004cfab-14fd.dcm": ("frontal", "0004cfab-14fd"),
            "stage_2_train_images/00436515-870c.dcm": ("frontal", "00436515-870c"),
        },
    ),
    "SIIM-ACR Pneumothorax": Sample(
        "train-rle.csv",
        "ImageId, EncodedPixels\n1.2.276.0.7230010.3.1.4.8323329.5597.1517875188.959090, -1\n",
        {
            "dicom-images-train/1.2/3.4/1.2.276.0.7230010.3.1.4.8323329.5597.1517875188.959090.dcm":
            ("frontal", None)
        },
    ),
    "BIMCV-COVID19": Sample(
        "sub-S03047_ses-E07985_scans.tsv",
        "filename\tacq_time\n"
        "mod-rx/sub-S03047_ses-E07985_run-1_bp-chest_vp-ap_cr.png\t2020\n"
        "mod-rx/sub-S03047_ses-E07985_run-1_bp-chest_vp-ll_cr.png\t2020\n",
        {
            "sub-S03047/ses-E07985/mod-rx/sub-S03047_ses-E07985_run-1_bp-chest_vp-ap_cr.png":
            ("frontal", "sub-S03047"),
            "sub-S03047/ses-E07985/mod-rx/sub-S03047_ses-E07985_run-1_bp-chest_vp-ll_cr.png":
            ("lateral", "sub-S03047"),
        },
    ),
    "JSRT": Sample(
        "jsrt_metadata.csv",
        "study_id,subtlety,size,age,gender,x,y,state,position,diagnosis\n"
        "JPCLN001.png,5,15,53,Male,1634,692,malignant,l.upper lobe,lung cancer\n",
        {"images/images/JPCLN001.png": ("frontal", None)},
    ),
}  # fmt: skip
